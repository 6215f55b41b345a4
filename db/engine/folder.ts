// Opens the embedded database on a folder: locked, with a version that this release can read, and completely initialised.
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseScope, Engine, RunStatement } from './client.ts'
import { lockFolder } from './folder-lock.ts'
import { openPglite, pgliteEngine } from './pglite.ts'

/**
 * Versions of this release's engine. PGlite is before version 1, so its second number marks breaking changes. A test compares them with the package.
 */
export const EMBEDDED = { postgres: '18', pglite: '0.5' } as const

/** File in the data folder, beside PostgreSQL's own PG_VERSION. */
const VERSION_FILE = 'AUTHSEC_ENGINE'

/** The folder was written by another release's engine or holds no database. The message gives instructions. */
export class FolderVersion extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'FolderVersion'
  }
}

/** There is not enough room on the disk of the folder. Nothing was written. */
export class NoRoom extends Error {
  readonly code = 'ENOSPC'
  constructor(folder: string) {
    super(`The disk of the data folder ${folder} is full: at least ${LEAST_FREE / 1024 / 1024} MiB must be free.`)
    this.name = 'NoRoom'
  }
}

/** Three segments of the write-ahead log: where it cannot continue its log the engine stops for ever, in the middle of a statement. */
const LEAST_FREE = 48 * 1024 * 1024
const CHECKED_MS = 250
export const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
type FreeBytes = typeof freeBytes

/** @throws NoRoom */
const requireRoom = (folder: string, free: FreeBytes): void => {
  if (free(folder) < LEAST_FREE) throw new NoRoom(folder)
}

/** Reads alone need no room. */
const isRead = (text: string): boolean => /^\s*select\b/i.test(text)

/** Refuses what may write while there is no room. */
const withinRoom = (engine: Engine, folder: string, free: FreeBytes): Engine => {
  let checkedAt = Number.NEGATIVE_INFINITY
  const check = (): void => {
    const now = performance.now()
    if (now - checkedAt < CHECKED_MS) return
    requireRoom(folder, free)
    checkedAt = now
  }
  return {
    ...engine,
    one: async (scope, statement) => {
      if (!isRead(statement.text)) check()
      return engine.one(scope, statement)
    },
    transaction: async <T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>) => {
      check()
      return engine.transaction(scope, work)
    },
    script: async (role, text) => {
      check()
      return engine.script(role, text)
    },
  }
}

const firstLine = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8').split('\n')[0]?.trim() : undefined)

const refuse = (folder: string, found: string, expected: string): never => {
  throw new FolderVersion(
    `The data folder ${folder} was written by ${found}; this release only reads ${expected}. ` +
      'Export it with the release that wrote it (npm run db:export -- --to FILE), move the folder away, and import it with this one (npm run db:import -- --from FILE).',
  )
}

/**
 * Refuses a folder of another PostgreSQL or PGlite major version, and one that holds something else.
 * @returns whether the folder contains a database; an empty or missing folder does not
 * @throws FolderVersion
 */
export const checkFolderVersion = (folder: string): boolean => {
  const postgres = firstLine(join(folder, 'PG_VERSION'))
  if (postgres === undefined) {
    if (existsSync(folder) && readdirSync(folder).length > 0) throw new FolderVersion(`The folder ${folder} is not empty and holds no database.`)
    return false
  }
  if (postgres !== EMBEDDED.postgres) refuse(folder, `PostgreSQL ${postgres}`, `PostgreSQL ${EMBEDDED.postgres}`)
  const pglite = firstLine(join(folder, VERSION_FILE))
  if (pglite !== undefined && pglite !== EMBEDDED.pglite) refuse(folder, `PGlite ${pglite}`, `PGlite ${EMBEDDED.pglite}`)
  return true
}

/** Initialises the database beside its final path and then renames it: a killed process leaves nothing that looks like a database. */
const initialise = async (folder: string): Promise<void> => {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  await (await openPglite(unfinished)).close()
  writeFileSync(join(unfinished, VERSION_FILE), `${EMBEDDED.pglite}\n`)
  renameSync(unfinished, folder)
}

export type OpenFolder = {
  readonly engine: Engine
  /** Closes the engine and releases the folder. Closing the engine does the same. */
  readonly release: () => Promise<void>
}

/**
 * Opens the embedded engine on a folder, which is created when missing.
 * @throws FolderLocked, FolderVersion, NoRoom
 */
export const openFolder = async (path: string, free: FreeBytes = freeBytes): Promise<OpenFolder> => {
  const lock = lockFolder(path)
  try {
    const folder = realpathSync(path)
    requireRoom(folder, free)
    if (!checkFolderVersion(folder)) await initialise(folder)
    const inner = withinRoom(pgliteEngine(await openPglite(folder)), folder, free)
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
