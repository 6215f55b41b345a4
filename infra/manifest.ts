// What a deployment has to know of the program, taken from its declarations: which function answers which paths, which jobs there are. `infra/bundle/build.ts` writes
// it beside the bundles, so that deploying loads no group. A new group or job is in it without a line here.
import { methodOf, pathOf } from '#shared/platform/http/route'
import { GROUPS } from '../apps/groups.ts'
import { jobs } from '../functions/scheduled/jobs.ts'

export type Manifest = {
  /** Functions that answer HTTP, by folder. A path as the gateway writes it: `/people/{user_id}`. */
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
