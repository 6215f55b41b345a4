// `npm run build [-- FOLDER]`: the whole system for one machine, as a folder that needs Node and nothing installed.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { nativeFiles } from './native-files.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** As argon2's package spells this machine. */
const platform = process.platform === 'linux' ? `linux-${process.arch}-gnu` : `${process.platform}-${process.arch}`

const main = async (folder: string): Promise<void> => {
  rmSync(folder, { recursive: true, force: true })
  await build({
    absWorkingDir: ROOT,
    entryPoints: { server: 'apps/server/server.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
    legalComments: 'linked',
    charset: 'utf8',
    external: ['@node-rs/argon2', 'pg-native'],
    banner: { js: `import{createRequire as authsecRequire}from'node:module';const require=authsecRequire(import.meta.url);` },
  })
  nativeFiles(platform).copyTo(folder)
  process.stdout.write(`${folder}/server.mjs\n`)
}

await main(process.argv[2] ?? '.build/server')
