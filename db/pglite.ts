// PostgreSQL inside the process: the default of local mode and of tests. One connection, so transactions queue.
import { PGlite, type PGliteInterface, types as pgTypes } from '@electric-sql/pglite'
import { type Engine, partsOf, type Run, type Scope, type Statement } from './client.ts'

const asText = (value: string): string => value
/** As `pg` hands them over: moments as text, big integers as numbers. */
const parsers = {
  [pgTypes.TIMESTAMPTZ]: asText,
  [pgTypes.TIMESTAMP]: asText,
  [pgTypes.DATE]: asText,
  [pgTypes.INT8]: Number,
}

type Querying = Pick<PGliteInterface, 'query' | 'exec'>

const enter = (db: Querying, scope: Scope): Promise<unknown> =>
  db.query(`select set_config('role',$1,true), set_config('app.tenant_id',$2,true)`, [scope.role, scope.tenantId])

const running =
  (db: Querying): Run =>
  async (statement: Statement) => {
    let rows: unknown[] = []
    for (const { text, params, arrays } of partsOf(statement)) {
      rows = (await db.query(text, params as unknown[], { parsers, ...(arrays ? { rowMode: 'array' as const } : {}) })).rows
    }
    return rows
  }

/** Wraps an opened PGlite. Who opens one on a folder must hold the folder's lock first: see `lockFolder`. */
export const pgliteEngine = (db: PGlite): Engine => ({
  kind: 'pglite',
  one: (scope, statement) =>
    db.transaction(async (tx) => {
      await enter(tx as Querying, scope)
      return running(tx as Querying)(statement)
    }) as Promise<unknown[]>,
  transaction: <T>(scope: Scope, work: (run: Run) => Promise<T>) =>
    db.transaction(async (tx) => {
      await enter(tx as Querying, scope)
      return work(running(tx as Querying))
    }) as Promise<T>,
  script: (role, text) =>
    db.transaction(async (tx) => {
      if (role !== 'login') await tx.exec(`set local role ${role}`)
      await tx.exec(text)
    }) as Promise<void>,
  close: () => db.close(),
})

/** Opens the embedded engine in memory, or on a folder. */
export const openPglite = async (folder?: string): Promise<PGlite> => {
  const db = folder === undefined ? new PGlite() : new PGlite(folder)
  await db.waitReady
  return db
}
