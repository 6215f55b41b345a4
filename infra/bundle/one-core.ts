// What every function has at its start lies in one file of its bundle. A bundler cuts what several entries share along every border between them, and each file
// costs a start half a millisecond; so whatever is loaded later says that it needs the start, too. It is there already by then.
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CORE = [
  'shared/domains/composition/cloud.ts',
  'shared/platform/http/lambda.ts',
  'shared/platform/http/mount.ts',
  'shared/platform/http/access.ts',
]
/** What nearly every request of a group asks for is at its start, too: the platform gives a start more of a processor than a request. */
const HOT: Readonly<Record<string, readonly string[]>> = {
  oauth: ['functions/oauth/token.routes.ts'],
}
/** The namespace in which a module stands that is loaded later. */
export const LATER = 'later'

export const oneCore = (group: string): Plugin => ({
  name: 'one-core',
  setup: (build) => {
    build.onResolve({ filter: /^[.#]/ }, async ({ kind, path, importer, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === LATER) return undefined
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: LATER })
      return found.errors.length > 0 || found.path.includes('node_modules') ? found : { path: found.path.slice(ROOT.length), namespace: LATER }
    })
    build.onLoad({ filter: /./, namespace: LATER }, ({ path }) => ({
      contents: `${[...CORE, ...(HOT[group] ?? [])].map((file) => `import ${JSON.stringify(`./${file}`)}`).join('\n')}\nexport * from ${JSON.stringify(`./${path}`)}`,
      loader: 'js',
      resolveDir: ROOT,
    }))
  },
})
