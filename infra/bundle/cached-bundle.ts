// For tests: each bundle is built once and kept under a digest of the sources, for every test file and every run. Builds are reproducible (reproducible.test.ts).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bundle, bundle } from './build.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Inside the project, where a bundle finds the installed packages. */
const CACHE = join(ROOT, '.build', 'tested')
/** Inputs of a bundle, and the bundler. */
const SOURCES = ['db', 'functions', 'shared', 'infra/bundle', 'package-lock.json', 'tsconfig.json']

const digestOfSources = (): string => {
  const hash = createHash('sha256')
  const files = SOURCES.flatMap((name) =>
    /\./.test(name)
      ? [join(ROOT, name)]
      : readdirSync(join(ROOT, name), { recursive: true, withFileTypes: true }).flatMap((entry) =>
          entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
        ),
  )
  for (const file of files.toSorted()) hash.update(`${file.slice(ROOT.length)}\0`).update(createHash('sha256').update(readFileSync(file)).digest())
  return hash.digest('hex').slice(0, 32)
}

/** Removes the bundles of other sources. */
const makeFolder = (): string => {
  const folder = join(CACHE, digestOfSources())
  if (!existsSync(folder)) rmSync(CACHE, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}
let folder: string | undefined

export type Built = { readonly folder: string; readonly bundle: Bundle }

const METADATA = 'bundle.json'
type Metadata = Omit<Bundle, 'costs'> & { readonly costs: readonly (readonly [string, number])[] }
const read = (at: string): Built => {
  const metadata = JSON.parse(readFileSync(join(at, METADATA), 'utf8')) as Metadata
  return { folder: at, bundle: { ...metadata, costs: new Map(metadata.costs) } }
}

/** The function of that name as it ships. The folder is shared and must not be changed. */
export const cachedBundle = async (name: string): Promise<Built> => {
  folder ??= makeFolder()
  const at = join(folder, name)
  if (existsSync(at)) return read(at)
  const unfinished = mkdtempSync(join(folder, '.unfinished-'))
  const made = await bundle(name, unfinished)
  writeFileSync(join(unfinished, METADATA), JSON.stringify({ ...made, costs: [...made.costs] } satisfies Metadata))
  try {
    renameSync(unfinished, at)
  } catch (error) {
    // Another worker built it first.
    if (!existsSync(at)) throw error
    rmSync(unfinished, { recursive: true })
  }
  return read(at)
}
