// Bundles a function's handler as it ships: ESM in a file for the start and files that are loaded on demand.
// `tsx infra/bundle/build.ts FOLDER [--native linux-arm64-gnu] [--compile-cache]` writes all functions there, with argon2's native file for that platform, the
// compile cache of the Node that runs this, and the manifest that a deployment reads, and prints their sizes.
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type OutputChunk, rolldown } from 'rolldown'
import { writeCompileCache } from './compile-cache.ts'
import { lazyRoutes } from './lazy-routes.ts'
import { nativeFiles } from './native-files.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FUNCTIONS = join(ROOT, 'functions')

const having = (file: string): string[] =>
  readdirSync(FUNCTIONS, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() && existsSync(join(entry.parentPath, entry.name, file)) ? [entry.name] : []))
    .sort()

/** Every function, by folder: each folder with a handler. */
export const builtFunctions = (): string[] => having('handler.ts')
/** Functions that answer HTTP: groups of routes. The others answer schedules and queues. */
export const builtGroups = (): string[] => having('handler.ts').filter((name) => having('routes.ts').includes(name))

export type Bundle = {
  /** Source files in it, relative to the project. */
  readonly inputs: readonly string[]
  /** Files with the routes of the group, relative to the bundle's folder: each is loaded by the first request for one of its routes. */
  readonly routeFiles: readonly string[]
  /** Minified bytes that the start loads: the entry, its static imports, and the driver of PostgreSQL over TCP (or Neon's instead). */
  readonly startBytes: number
  /** Minified bytes that the start and the largest of its files of routes load: see infra/bundle/lazy-routes.ts. */
  readonly routeBytes: number
  /** Minified bytes of everything, files loaded on demand included. */
  readonly totalBytes: number
  /** Bytes before minification by package, and by room of the project; of everything. */
  readonly costs: ReadonlyMap<string, number>
}

type Chunks = ReadonlyMap<string, OutputChunk>

/** `entries` and their static imports. */
const withImports = (chunks: Chunks, entries: readonly string[]): ReadonlySet<string> => {
  const reached = new Set<string>()
  const open = [...entries]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const chunk = chunks.get(next)
    if (chunk === undefined || reached.has(next)) continue
    reached.add(next)
    open.push(...chunk.imports)
  }
  return reached
}

const relative = (id: string): string => (id.startsWith(ROOT) ? id.slice(ROOT.length) : id)
const ownerOf = (input: string): string => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input.split('/').slice(0, 2).join('/')

const costsOf = (chunks: Chunks): ReadonlyMap<string, number> => {
  const costs = new Map<string, number>()
  for (const { modules } of chunks.values()) {
    for (const [id, { renderedLength }] of Object.entries(modules)) {
      const owner = ownerOf(relative(id))
      costs.set(owner, (costs.get(owner) ?? 0) + renderedLength)
    }
  }
  return new Map([...costs].sort(([, a], [, b]) => b - a))
}

const chunksOf = async (group: string, outdir: string | undefined): Promise<Chunks> => {
  const handler = join(FUNCTIONS, group, 'handler.ts')
  const bundler = await rolldown({
    cwd: ROOT,
    input: { [group]: handler },
    platform: 'node',
    tsconfig: 'tsconfig.json',
    transform: { target: 'node20' },
    // A native file per platform, copied beside the bundle; pg loads its native client only when told to.
    external: ['@node-rs/argon2', 'pg-native'],
    plugins: [lazyRoutes(group)],
    preserveEntrySignatures: 'allow-extension',
    logLevel: 'warn',
  })
  const { output } = await bundler[outdir === undefined ? 'generate' : 'write']({
    ...(outdir === undefined ? {} : { dir: outdir }),
    format: 'esm',
    minify: true,
    // The notices of licenses stay in the files that they are about.
    comments: { legal: true, annotation: false, jsdoc: false },
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunk-[hash].mjs',
    // One file for the start: each file costs a start half a millisecond. The handler stays apart, because it awaits files that import from this one.
    codeSplitting: { groups: [{ name: 'start', tags: ['$initial'], test: (id) => id !== handler }] },
  })
  await bundler.close()
  return new Map(output.flatMap((one) => (one.type === 'chunk' ? [[one.fileName, one] as const] : [])))
}

/** Builds without writing, unless a folder is named. */
export const bundle = async (group: string, outdir?: string): Promise<Bundle> => {
  const chunks = await chunksOf(group, outdir)
  const loadedFor = (isLoaded: (file: string) => boolean): readonly string[] =>
    [...chunks.values()].flatMap(({ fileName, facadeModuleId }) => (facadeModuleId && isLoaded(relative(facadeModuleId)) ? [fileName] : []))
  const driver = loadedFor((file) => file === 'db/engine/postgres.ts')
  if (driver.length === 0) throw new Error(`${group} has no database`)
  const routeFiles = loadedFor((file) => file.startsWith(`functions/${group}/`) && /(?:^|[./])routes\.ts$/.test(file))
  const start = [`${group}.mjs`, ...driver]
  const bytesOf = (files: Iterable<string>): number => [...files].reduce((bytes, file) => bytes + Buffer.byteLength(chunks.get(file)?.code ?? ''), 0)
  const startBytes = bytesOf(withImports(chunks, start))
  return {
    inputs: [...new Set([...chunks.values()].flatMap(({ moduleIds }) => moduleIds.map(relative)))].toSorted(),
    routeFiles,
    startBytes,
    routeBytes: Math.max(startBytes, ...routeFiles.map((file) => bytesOf(withImports(chunks, [...start, file])))),
    totalBytes: bytesOf(chunks.keys()),
    costs: costsOf(chunks),
  }
}

const main = async (folder: string, platform: string | undefined, withCompileCache: boolean): Promise<void> => {
  const native = platform === undefined ? undefined : nativeFiles(platform)
  for (const group of builtFunctions()) {
    const { startBytes, totalBytes, routeFiles, costs } = await bundle(group, join(folder, group))
    if (native !== undefined) native.copyTo(join(folder, group))
    if (withCompileCache) writeCompileCache(join(folder, group), [`${group}.mjs`, ...routeFiles])
    const dearest = [...costs].slice(0, 8).map(([owner, bytes]) => `${owner} ${Math.round(bytes / 1024)}`)
    process.stdout.write(
      `${group}: ${Math.round(startBytes / 1024)} KiB, ${Math.round(totalBytes / 1024)} with what is loaded later (before minification: ${dearest.join(', ')})\n`,
    )
  }
  // Imported here: the tests that use this file need no groups.
  const { manifest } = await import('../manifest.ts')
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { native: { type: 'string' }, 'compile-cache': { type: 'boolean', default: false } },
  })
  await main(positionals[0] ?? '.build', values.native, values['compile-cache'])
}
