// The worker as one module, for workerd. `tsx infra/bundle/build-edge.ts FILE`
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** workerd knows Node's modules by their whole names alone. */
const wholeNames: Plugin = {
  name: 'whole-names',
  setup: ({ onResolve }) => {
    onResolve({ filter: new RegExp(`^(?:node:)?(?:${builtinModules.join('|')})$`) }, ({ path }) => ({
      path: path.replace(/^(?:node:)?/, 'node:'),
      external: true,
    }))
    onResolve({ filter: /^(pg-native|@node-rs\/argon2|cloudflare:sockets)$/ }, ({ path }) => ({ path, external: true }))
  },
}

/** Sources in it, relative to the project. */
export const buildEdge = async (file: string): Promise<readonly string[]> => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['apps/edge/edge.ts'],
    outfile: file,
    bundle: true,
    format: 'esm',
    minify: true,
    platform: 'node',
    conditions: ['workerd', 'worker'],
    target: 'es2022',
    metafile: true,
    plugins: [wholeNames],
    logLevel: 'error',
    charset: 'utf8',
    banner: { js: `import{createRequire as authsecRequire}from'node:module';const require=authsecRequire('file:///worker.mjs');` },
  })
  return Object.keys(metafile.inputs)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildEdge(process.argv[2] ?? '.build/edge.mjs')
