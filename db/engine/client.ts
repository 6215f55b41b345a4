// One way to speak to PostgreSQL, whatever opens it. An engine runs statements inside a scope (a role and a tenant); nothing reaches a table without one.
import { AsyncLocalStorage } from 'node:async_hooks'
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy'

/** Roles of the database. `app` serves requests, `jobs` sees what a job may see of all tenants, `owner` migrates and is held by the deploy step alone. */
export type DatabaseRole = 'authsec_app' | 'authsec_jobs' | 'authsec_owner'

/** As whom, and for which tenant (`''`: none, so that row level security shows nothing but the directory). */
export type DatabaseScope = { readonly role: DatabaseRole; readonly tenantId: string }

export type Statement = {
  readonly text: string
  readonly params: readonly unknown[] /** Rows as arrays of values, not as objects. */
  readonly arrays: boolean
  /** What the same transaction does before it, in the same write: locks, since a statement sees what was committed when it began. Their rows are nobody's. */
  readonly first?: readonly PrecedingStatement[]
}
export type PrecedingStatement = Pick<Statement, 'text' | 'params'>
/** All that a statement asks of the server, in order. */
export const statementParts = ({ first = [], ...statement }: Statement): readonly Statement[] => [
  ...first.map((before) => ({ ...before, arrays: true })),
  statement,
]
export type RunStatement = (statement: Statement) => Promise<unknown[]>

/** What a driver has to offer. All throw `DatabaseUnavailable` when the server cannot be reached, and the driver's own error (with SQLSTATE in `code`) otherwise. */
export type Engine = {
  readonly kind: 'pglite' | 'postgres' | 'neon'
  /** One statement in a transaction of its own, in one round trip where the connection is not in doubt. Never does a change twice. */
  one(scope: DatabaseScope, statement: Statement): Promise<unknown[]>
  /**
   * Statements that commit together when `work` returns and leave nothing when it throws. Over a connection that turns out to be dead before anything was
   * answered, `work` begins again.
   */
  transaction<T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>): Promise<T>
  /** SQL of our own (migrations), several statements in one text, as `role`, in one transaction. */
  script(role: DatabaseRole | 'login', text: string): Promise<void>
  close(): Promise<void>
}

/** The database, without a way to query it: that needs `forTenant`, `directory` or `acrossTenants`. */
export type Db = {
  readonly engine: Engine
  /** Called on this instance after every commit of a tenant's transaction. */
  readonly onCommit: (listener: (tenantId: string) => void) => void
  readonly committed: (tenantId: string) => void
}

export type Queries = PgRemoteDatabase<Record<string, never>>

/** The server could not be reached, or stopped answering in the middle. The caller may try again. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('The database cannot be reached.', { cause })
    this.name = 'DatabaseAway'
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
/** Runs `work` marked as being inside a transaction. While there is none nothing is followed, which would cost every promise of the process something. */
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
 * On the embedded engine, which has one connection, an outer handle used inside a transaction would wait for itself for ever, and on a server it
 * would not see the transaction's own writes. So it fails at once, everywhere.
 */
export const refuseInsideTransaction = (): void => {
  if (insideTransaction.getStore())
    throw new Error('A database handle from outside was used inside a transaction; use the one that atomically() hands in.')
}

/** A query builder whose statements go through `run`. */
export const queriesThrough = (run: RunStatement): Queries =>
  drizzle(async (text, params, method) => ({ rows: (await run({ text, params, arrays: method === 'all' })) as unknown[] }))

/** SQLSTATE of an error that a statement ended with, through drizzle's wrapping. */
export const sqlState = (error: unknown): string | undefined => {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const code = (e as { code?: unknown }).code
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}

/** Whether the database was away, through drizzle's wrapping. */
export const isDatabaseUnavailable = (error: unknown): boolean => {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (e instanceof DatabaseUnavailable) return true
  return false
}

/** unique_violation */
export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === '23505'
/** foreign_key_violation */
export const isForeignKeyViolation = (error: unknown): boolean => sqlState(error) === '23503'
