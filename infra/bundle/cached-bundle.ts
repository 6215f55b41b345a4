// For tests: each bundle built once for what the sources say, whichever test and run asks first. A build is the same whenever it is made (reproducible.test.ts).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bundle, bundle } from './build.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Inside the project: a bundle finds the packages that are installed beside it. */
const KEPT = join(ROOT, '.build', 'tested')
/** All that a bundle can be made of, and what makes it. */
const SOURCES = ['db', 'functions', 'shared', 'package-lock.json', 'tsconfig.json']

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

/** Of other sources nothing is kept. */
const makeFolder = (): string => {
  const folder = join(KEPT, digestOfSources())
  if (!existsSync(folder)) rmSync(KEPT, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}
let folder: string | undefined

export type Built = { readonly folder: string; readonly bundle: Bundle }

const SAID = 'bundle.json'
type Said = Omit<Bundle, 'costs'> & { readonly costs: readonly (readonly [string, number])[] }
const read = (at: string): Built => {
  const said = JSON.parse(readFileSync(join(at, SAID), 'utf8')) as Said
  return { folder: at, bundle: { ...said, costs: new Map(said.costs) } }
}

/** The function of that name as it ships, in a folder that nobody may change. */
export const cachedBundle = async (name: string): Promise<Built> => {
  folder ??= makeFolder()
  const at = join(folder, name)
  if (existsSync(at)) return read(at)
  const unfinished = mkdtempSync(join(folder, '.unfinished-'))
  const made = await bundle(name, unfinished)
  writeFileSync(join(unfinished, SAID), JSON.stringify({ ...made, costs: [...made.costs] } satisfies Said))
  try {
    renameSync(unfinished, at)
  } catch (error) {
    // Another worker was faster.
    if (!existsSync(at)) throw error
    rmSync(unfinished, { recursive: true })
  }
  return read(at)
}
