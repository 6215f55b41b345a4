// `tsx bench/run.ts <name>`: bundles a benchmark as the functions are bundled and runs it, so that no loader's overhead is measured.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { build } from 'esbuild'

const [name = '', ...rest] = process.argv.slice(2)
const outdir = '.data/bench'
mkdirSync(outdir, { recursive: true })
await build({
  entryPoints: [`bench/${name}.ts`],
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
})
const child = spawn(process.execPath, [...process.execArgv.filter((flag) => flag.startsWith('--cpu-prof')), `${outdir}/${name}.mjs`, ...rest], {
  stdio: 'inherit',
})
child.on('exit', (code) => process.exit(code ?? 1))
