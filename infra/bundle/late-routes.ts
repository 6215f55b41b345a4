// Routes are declared a file a resource, and a function loads the file of the resource that a request asks for: its schemas, its rule, its tables. What stands in
// place of a group's `routes.ts` in its bundle is written when we build, from the declarations themselves: method, path, and where the rest of it is.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import type { Route } from '#shared/platform/http/route'

type Module = Readonly<Record<string, unknown>>
type Place = { readonly file: string; readonly name: string; readonly at: number }

const folderOf = (group: string): string => fileURLToPath(new URL(`../../functions/${group}`, import.meta.url))
const PART = /from '\.\/([\w-]+\.routes)\.ts'/g

const isRoutes = (value: unknown): value is readonly Route<never>[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof (one as { on?: unknown }).on === 'string')

/** Every list of routes that a module exports, by its name. */
const listsOf = (module: Module): readonly (readonly [string, readonly Route<never>[]])[] =>
  Object.entries(module).flatMap(([name, value]) => (isRoutes(value) ? [[name, value] as const] : []))

/** Where each route of the group is declared: in the list of a part, or else in the group's own, which loads all parts. */
export const placesOf = async (group: string): Promise<{ readonly name: string; readonly places: readonly (Place & { readonly on: string })[] }> => {
  const [[name, routes] = ['', []], ...more] = listsOf((await import(`../../functions/${group}/routes.ts`)) as Module)
  if (name === '' || more.length > 0) throw new Error(`functions/${group}/routes.ts exports one list of routes and nothing else`)
  const places = new Map<Route<never>, Place>(routes.map((route, at) => [route, { file: './routes.ts', name, at }]))
  for (const [, file] of readFileSync(`${folderOf(group)}/routes.ts`, 'utf8').matchAll(PART)) {
    const lists = listsOf((await import(`../../functions/${group}/${file}.ts`)) as Module)
    for (const [list, declared] of lists) {
      for (const [at, route] of declared.entries()) if (places.has(route)) places.set(route, { file: `./${file}.ts`, name: list, at })
    }
  }
  return { name, places: [...places].map(([{ on }, place]) => ({ on, ...place })) }
}

/** As a module: in the order of the group's list, for the first route that fits a path answers it. */
const sourceOf = async (group: string): Promise<string> => {
  const { name, places } = await placesOf(group)
  const files = [...new Set(places.map(({ file }) => file))]
  const rows = places.map(({ on, file, name: list, at }) => [on, files.indexOf(file), list, at])
  const loads = files.map((file) => `() => import(${JSON.stringify(file)})`)
  return `const parts = [${loads.join(', ')}]
export const ${name} = ${JSON.stringify(rows)}.map(([on, part, list, at]) => ({ on, load: async () => (await parts[part]())[list][at] }))`
}

export const lateRoutes = (group: string): Plugin => ({
  name: 'late-routes',
  setup: (build) => {
    build.onResolve({ filter: /^\.\/routes\.ts$/ }, ({ importer }) =>
      importer.endsWith(`functions/${group}/handler.ts`) ? { path: `functions/${group}/routes.ts`, namespace: 'late' } : undefined,
    )
    build.onLoad({ filter: /./, namespace: 'late' }, async () => ({ contents: await sourceOf(group), loader: 'js', resolveDir: folderOf(group) }))
  },
})
