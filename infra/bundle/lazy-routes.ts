// A function loads a file of routes with the first request for one of its routes: its schemas, rules and tables. In a bundle the group's `routes.ts` is replaced
// by a list of method, path and file, made from the declarations when the bundle is built, so no list is kept by hand.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import type { Route } from '#shared/platform/http/route'

type Module = Readonly<Record<string, unknown>>
type Place = { readonly file: string; readonly name: string; readonly at: number }

/** Files of routes that are part of the start, because nearly every request of the group is for one of them. */
const EAGER: Readonly<Record<string, readonly string[]>> = { oauth: ['./token.routes.ts'] }

const folderOf = (group: string): string => fileURLToPath(new URL(`../../functions/${group}`, import.meta.url))

const isRoutes = (value: unknown): value is readonly Route<never>[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof (one as { on?: unknown }).on === 'string')

/** Every list of routes that a module exports, by its name. */
const listsOf = (module: Module): readonly (readonly [string, readonly Route<never>[]])[] =>
  Object.entries(module).flatMap(([name, value]) => (isRoutes(value) ? [[name, value] as const] : []))

/** Where each route of the group is declared: in a file of routes, or in the group's own list. */
export const placesOf = async (group: string): Promise<{ readonly name: string; readonly places: readonly (Place & { readonly on: string })[] }> => {
  const [[name, routes] = ['', []], ...more] = listsOf((await import(`../../functions/${group}/routes.ts`)) as Module)
  if (name === '' || more.length > 0) throw new Error(`functions/${group}/routes.ts exports one list of routes and nothing else`)
  const places = new Map<Route<never>, Place>(routes.map((route, at) => [route, { file: './routes.ts', name, at }]))
  const files = readdirSync(folderOf(group)).filter((file) => file.endsWith('.routes.ts'))
  for (const file of files.toSorted()) {
    for (const [list, declared] of listsOf((await import(`../../functions/${group}/${file}`)) as Module)) {
      for (const [at, route] of declared.entries()) if (places.has(route)) places.set(route, { file: `./${file}`, name: list, at })
    }
  }
  return { name, places: [...places].map(([{ on }, place]) => ({ on, ...place })) }
}

/** The module that stands for the group's list, in the same order: the first route that matches a path answers it. */
const moduleOf = async (group: string): Promise<string> => {
  const { name, places } = await placesOf(group)
  const files = [...new Set(places.map(({ file }) => file))]
  const eager = files.filter((file) => EAGER[group]?.includes(file))
  const rows = places.map(({ on, file, name: list, at }) => [on, files.indexOf(file), list, at])
  const loads = files.map((file) => (eager.includes(file) ? `async () => eager${eager.indexOf(file)}` : `() => import(${JSON.stringify(file)})`))
  return `${eager.map((file, at) => `import * as eager${at} from ${JSON.stringify(file)}`).join('\n')}
const files = [${loads.join(', ')}]
export const ${name} = ${JSON.stringify(rows)}.map(([on, file, list, at]) => ({ on, load: async () => (await files[file]())[list][at] }))`
}

export const lazyRoutes = (group: string): Plugin => ({
  name: 'lazy-routes',
  setup: (build) => {
    build.onResolve({ filter: /^\.\/routes\.ts$/ }, ({ importer }) =>
      importer.endsWith(`functions/${group}/handler.ts`) ? { path: `functions/${group}/routes.ts`, namespace: 'lazy' } : undefined,
    )
    build.onLoad({ filter: /./, namespace: 'lazy' }, async () => ({ contents: await moduleOf(group), loader: 'js', resolveDir: folderOf(group) }))
  },
})
