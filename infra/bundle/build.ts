// Bundles a function's handler as it ships: ESM with splitting, so that what is imported lazily is loaded lazily.
// `tsx infra/bundle/build.ts FOLDER [--native linux-arm64-gnu]` writes all of them there, with argon2's native file for that platform and the manifest that a
// deployment reads, and prints what they cost.
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { lazyRoutes } from './lazy-routes.ts'
import { nativeFiles } from './native-files.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FUNCTIONS = join(ROOT, 'functions')

const having = (file: string): string[] =>
  readdirSync(FUNCTIONS, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() && existsSync(join(entry.parentPath, entry.name, file)) ? [entry.name] : []))
    .sort()

/** Every function, by folder: what has a handler. */
export const builtFunctions = (): string[] => having('handler.ts')
/** Those that answer HTTP: groups of routes. The others answer schedules and queues. */
export const builtGroups = (): string[] => having('handler.ts').filter((name) => having('routes.ts').includes(name))

const options = (group: string, outdir: string): BuildOptions => ({
  absWorkingDir: ROOT,
  entryPoints: { [group]: `functions/${group}/handler.ts` },
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  metafile: true,
  logLevel: 'silent',
  // The notices of licenses lie beside the bundle.
  legalComments: 'linked',
  charset: 'utf8',
  // A native file per platform, copied beside the bundle by the deployment; pg asks for its native twin only when told to.
  external: ['@node-rs/argon2', 'pg-native'],
  // Packages that are CommonJS inside ask for node's own modules by `require`.
  banner: { js: `import{createRequire as authsecRequire}from'node:module';const require=authsecRequire(import.meta.url);` },
})

type Output = Metafile['outputs'][string]

export type Bundle = {
  /** Source files in it, relative to the project. */
  readonly inputs: readonly string[]
  /** Minified bytes that the start loads: the entry, what it imports statically, and the driver of PostgreSQL over TCP (Neon's stands in its place). */
  readonly startBytes: number
  /** Minified bytes that the start and the dearest of its routes load before the route does anything: see infra/bundle/lazy-routes.ts. */
  readonly routeBytes: number
  /** Minified bytes of everything, lazily loaded parts included. */
  readonly totalBytes: number
  /** Minified bytes by package, and by room of the project; of everything. */
  readonly costs: ReadonlyMap<string, number>
}

/** What `entries` import statically, with themselves. */
const startOf = (outputs: Metafile['outputs'], entries: readonly string[]): ReadonlySet<string> => {
  const reached = new Set<string>()
  const open = [...entries]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const output: Output | undefined = outputs[next]
    if (output === undefined || reached.has(next)) continue
    reached.add(next)
    open.push(...output.imports.flatMap(({ path, kind }) => (kind === 'import-statement' ? [path] : [])))
  }
  return reached
}

/** A file of routes that the group loads with the first request for one of them. */
const isPart = (group: string, file: string): boolean => file.startsWith(`functions/${group}/`) && /(?:^|[./])routes\.ts$/.test(file)

const ownerOf = (input: string): string => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input.split('/').slice(0, 2).join('/')

const costsOf = (outputs: readonly Output[]): ReadonlyMap<string, number> => {
  const costs = new Map<string, number>()
  for (const { inputs } of outputs) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) costs.set(ownerOf(input), (costs.get(ownerOf(input)) ?? 0) + bytesInOutput)
  }
  return new Map([...costs].sort(([, a], [, b]) => b - a))
}

const readSources = async (group: string): Promise<readonly string[]> => {
  const { metafile } = await build({ ...options(group, 'out'), metafile: true, write: false, minify: false, packages: 'external' })
  return Object.keys(metafile.inputs)
}
const sources = new Map<string, Promise<readonly string[]>>()
/** Source files of a function, relative to the project; cheaper than a build, and read once. */
export const sourcesOf = (group: string): Promise<readonly string[]> => {
  const known = sources.get(group) ?? readSources(group)
  sources.set(group, known)
  return known
}

/** Builds without writing, unless a folder is named. */
export const bundle = async (group: string, outdir?: string): Promise<Bundle> => {
  const { metafile } = await build({ ...options(group, outdir ?? 'out'), plugins: [lazyRoutes(group)], metafile: true, write: outdir !== undefined })
  const outputs = Object.entries(metafile.outputs)
  const entry = outputs.find(([, { entryPoint }]) => entryPoint?.endsWith(`functions/${group}/handler.ts`))
  if (entry === undefined) throw new Error(`${group} has no entry`)
  const driver = outputs.find(([, { entryPoint }]) => entryPoint === 'db/engine/postgres.ts')
  if (driver === undefined) throw new Error(`${group} has no database`)
  const bytesOf = (paths: ReadonlySet<string>): number => outputs.reduce((bytes, [path, output]) => bytes + (paths.has(path) ? output.bytes : 0), 0)
  const start = [entry[0], driver[0]]
  const parts = outputs.flatMap(([path, { entryPoint }]) => (entryPoint !== undefined && isPart(group, entryPoint) ? [path] : []))
  return {
    inputs: Object.keys(metafile.inputs),
    startBytes: bytesOf(startOf(metafile.outputs, start)),
    routeBytes: Math.max(...[[], ...parts.map((part) => [part])].map((part) => bytesOf(startOf(metafile.outputs, [...start, ...part])))),
    totalBytes: bytesOf(new Set(outputs.map(([path]) => path))),
    costs: costsOf(outputs.map(([, output]) => output)),
  }
}

const main = async (folder: string, platform: string | undefined): Promise<void> => {
  const native = platform === undefined ? undefined : nativeFiles(platform)
  for (const group of builtFunctions()) {
    const { startBytes, totalBytes, costs } = await bundle(group, join(folder, group))
    if (native !== undefined) native.copyTo(join(folder, group))
    const dearest = [...costs].slice(0, 8).map(([owner, bytes]) => `${owner} ${Math.round(bytes / 1024)}`)
    process.stdout.write(
      `${group}: ${Math.round(startBytes / 1024)} KiB, ${Math.round(totalBytes / 1024)} with what is loaded later (${dearest.join(', ')})\n`,
    )
  }
  // Loaded here: everything else of this file is asked for by tests that need no groups.
  const { manifest } = await import('../manifest.ts')
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { native: { type: 'string' } } })
  await main(positionals[0] ?? '.build', values.native)
}
