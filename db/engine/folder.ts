// Opens the embedded database on a folder: locked, of a version that this release reads, and never half made.
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from './client.ts'
import { lockFolder } from './folder-lock.ts'
import { openPglite, pgliteEngine } from './pglite.ts'

/** What this release's engine is. PGlite is before its version 1, so the second number is the one that breaks. A test holds this to the package. */
export const EMBEDDED = { postgres: '18', pglite: '0.5' } as const

/** In the data folder, beside PostgreSQL's own PG_VERSION. */
const MARK = 'AUTHSEC_ENGINE'

/** The folder was written by another release's engine, or is no database. The message says what to do. */
export class FolderVersion extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'FolderVersion'
  }
}

const firstLine = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8').split('\n')[0]?.trim() : undefined)

const refuse = (folder: string, found: string, expected: string): never => {
  throw new FolderVersion(
    `The data folder ${folder} was written by ${found}; this release reads ${expected} alone. ` +
      'Export it with the release that wrote it (npm run db:export -- --to FILE), move the folder away, and bring it in with this one (npm run db:import -- --from FILE).',
  )
}

/**
 * Refuses a folder of another PostgreSQL or PGlite major version, and one that holds something else.
 * @returns whether a database is there; an empty or missing folder has none yet
 * @throws FolderVersion
 */
export const checkFolderVersion = (folder: string): boolean => {
  const postgres = firstLine(join(folder, 'PG_VERSION'))
  if (postgres === undefined) {
    if (existsSync(folder) && readdirSync(folder).length > 0) throw new FolderVersion(`The folder ${folder} is not empty and holds no database.`)
    return false
  }
  if (postgres !== EMBEDDED.postgres) refuse(folder, `PostgreSQL ${postgres}`, `PostgreSQL ${EMBEDDED.postgres}`)
  const pglite = firstLine(join(folder, MARK))
  if (pglite !== undefined && pglite !== EMBEDDED.pglite) refuse(folder, `PGlite ${pglite}`, `PGlite ${EMBEDDED.pglite}`)
  return true
}

/** Makes the database beside its place and moves it there complete: a process killed meanwhile leaves nothing that looks like a database. */
const initialise = async (folder: string): Promise<void> => {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  await (await openPglite(unfinished)).close()
  writeFileSync(join(unfinished, MARK), `${EMBEDDED.pglite}\n`)
  renameSync(unfinished, folder)
}

export type OpenFolder = {
  readonly engine: Engine
  /** Closes the engine and gives the folder free. Closing the engine does the same. */
  readonly release: () => Promise<void>
}

/**
 * The embedded engine on a folder, which is made when missing.
 * @throws FolderLocked, FolderVersion
 */
export const openFolder = async (path: string): Promise<OpenFolder> => {
  const lock = lockFolder(path)
  try {
    const folder = realpathSync(path)
    if (!checkFolderVersion(folder)) await initialise(folder)
    const inner = pgliteEngine(await openPglite(folder))
    let closing: Promise<void> | undefined
    const release = (): Promise<void> => {
      closing ??= inner.close().finally(lock.release)
      return closing
    }
    return { engine: { ...inner, close: release }, release }
  } catch (error) {
    lock.release()
    throw error
  }
}
