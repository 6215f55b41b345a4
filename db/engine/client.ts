// The interface of every database engine. An engine runs statements inside a scope (a role and a tenant); no table can be reached without one.
import { AsyncLocalStorage } from 'node:async_hooks'
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy'

/**
 * Database roles. `app` serves requests, `jobs` reads what jobs may read across tenants, `owner` runs migrations and is used only by the deploy step.
 */
export type DatabaseRole = 'authsec_app' | 'authsec_jobs' | 'authsec_owner'

/** The role and the tenant of a statement. With an empty tenant, row level security shows only the directory tables. */
export type DatabaseScope = { readonly role: DatabaseRole; readonly tenantId: string }

export type Statement = {
  readonly text: string
  readonly params: readonly unknown[]
  /** Rows as arrays of values, not as objects. */
  readonly arrays: boolean
  /**
   * Statements that the same transaction runs before it, in the same write: locks, because a statement sees only what was committed when it began.
   * Their rows are discarded.
   */
  readonly first?: readonly PrecedingStatement[]
}
export type PrecedingStatement = Pick<Statement, 'text' | 'params'>
/** A statement and its preceding statements, in order. */
export const statementParts = ({ first = [], ...statement }: Statement): readonly Statement[] => [
  ...first.map((before) => ({ ...before, arrays: true })),
  statement,
]
export type RunStatement = (statement: Statement) => Promise<unknown[]>

/**
 * The interface of a driver. All methods throw `DatabaseUnavailable` when the server cannot be reached, and otherwise the driver's error (with
 * SQLSTATE in `code`).
 */
export type Engine = {
  readonly kind: 'pglite' | 'postgres' | 'neon'
  /** Runs one statement in its own transaction, in one round trip unless the connection is in doubt. Never applies a change twice. */
  one(scope: DatabaseScope, statement: Statement): Promise<unknown[]>
  /**
   * Runs statements that commit together when `work` returns and are rolled back when it throws. If the connection turns out to be dead before any
   * response, `work` starts again.
   */
  transaction<T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>): Promise<T>
  /** Runs our own SQL (migrations), several statements in one text, as `role`, in one transaction. */
  script(role: DatabaseRole | 'login', text: string): Promise<void>
  close(): Promise<void>
}

/** The database without a way to query it: that requires `forTenant`, `directory` or `acrossTenants`. */
export type Db = {
  readonly engine: Engine
  /** Registers a listener that is called on this instance after every commit of a tenant's transaction. */
  readonly onCommit: (listener: (tenantId: string) => void) => void
  readonly committed: (tenantId: string) => void
}

export type Queries = PgRemoteDatabase<Record<string, never>>

/** The server could not be reached or stopped answering. The caller may retry. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('The database cannot be reached.', { cause })
    this.name = 'DatabaseUnavailable'
  }
}

export const openDb = (engine: Engine): Db => {
  const listeners: ((tenantId: string) => void)[] = []
  return {
    engine,
    onCommit: (listener) => void listeners.push(listener),
    committed: (tenantId) => {
      for (const listener of listeners) listener(tenantId)
    },
  }
}

const insideTransaction = new AsyncLocalStorage<true>()

let marked = 0
/**
 * Runs `work` marked as inside a transaction. Tracking is disabled while there is no transaction, because it slows down every promise of the process.
 */
export const markTransaction = async <T>(work: () => Promise<T>): Promise<T> => {
  marked += 1
  try {
    return await insideTransaction.run(true, work)
  } finally {
    marked -= 1
    if (marked === 0) insideTransaction.disable()
  }
}

/**
 * Throws inside a transaction. On the embedded engine, which has one connection, an outer handle would wait for itself forever; on a server it would
 * not see the transaction's own writes. So it fails everywhere.
 */
export const refuseInsideTransaction = (): void => {
  if (insideTransaction.getStore())
    throw new Error('A database handle from outside was used inside a transaction; use the one that atomically() passes to its callback.')
}

/** A query builder whose statements go through `run`. */
export const queriesThrough = (run: RunStatement): Queries =>
  drizzle(async (text, params, method) => ({ rows: (await run({ text, params, arrays: method === 'all' })) as unknown[] }))

/** The SQLSTATE of a statement's error, through drizzle's wrapper. */
export const sqlState = (error: unknown): string | undefined => {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const code = (e as { code?: unknown }).code
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}

/** The file system below the embedded engine has its own error, which is not an Error of JavaScript, and the numbers of WASI. */
const ENOSPC_OF_WASI = 51

/**
 * Whether there was no room to write: the disk of the server (disk_full), its memory (out_of_memory), or the disk below the embedded engine's folder. Nothing was
 * written, and the caller may retry once there is room.
 */
export const isOutOfSpace = (error: unknown): boolean => {
  for (let e: unknown = error; typeof e === 'object' && e !== null; e = (e as { cause?: unknown }).cause) {
    const { code, name, errno } = e as { code?: unknown; name?: unknown; errno?: unknown }
    if (code === '53100' || code === '53200' || code === 'ENOSPC' || (name === 'ErrnoError' && errno === ENOSPC_OF_WASI)) return true
  }
  return false
}

/** Whether the database was unavailable, through drizzle's wrapper. */
export const isDatabaseUnavailable = (error: unknown): boolean => {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (e instanceof DatabaseUnavailable) return true
  return false
}

/** unique_violation */
export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === '23505'
/** foreign_key_violation */
export const isForeignKeyViolation = (error: unknown): boolean => sqlState(error) === '23503'
