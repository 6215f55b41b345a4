// The paths of each function and the scheduled jobs, taken from their declarations. `infra/bundle/build.ts` writes the manifest beside the bundles, so that deploying
// imports no group.
import { methodOf, pathOf } from '#shared/platform/http/route'
import { GROUPS } from '../apps/groups.ts'
import { jobs } from '../functions/scheduled/jobs.ts'

export type Manifest = {
  /** Functions that answer HTTP, by folder, with paths in the gateway's notation: `/people/{user_id}`. */
  readonly groups: readonly { readonly name: string; readonly routes: readonly { readonly method: string; readonly path: string }[] }[]
  readonly jobs: readonly { readonly id: string; readonly everySeconds: number }[]
}

const gatewayPath = (path: string): string => path.replace(/:(\w+)/g, '{$1}')

export const manifest = (): Manifest => ({
  groups: GROUPS.map(({ name, routes }) => ({
    name,
    routes: routes.map((route) => ({ method: methodOf(route), path: gatewayPath(pathOf(route)) })),
  })),
  jobs: jobs.map(({ id, every }) => ({ id, everySeconds: every })),
})
