// Builds what resource servers import: two small modules without the rest of the system, and their types. `npm run build:guard`; `npm pack` calls it.
import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')

/** Into a folder, by default `dist/guard`. */
export const buildGuard = async (outdir = join(ROOT, 'dist/guard')): Promise<void> => {
  await rm(outdir, { recursive: true, force: true })
  await build({
    entryPoints: ['guard', 'hono'].map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: ['jose', 'jose/*', 'hono'],
    logLevel: 'error',
  })
  const tsc = join(ROOT, 'node_modules/typescript-native/bin/tsc')
  execFileSync(tsc, ['--project', join(ROOT, 'packages/guard/tsconfig.build.json'), '--outDir', outdir], { stdio: 'inherit' })
}

if (import.meta.filename === process.argv[1]) await buildGuard()
