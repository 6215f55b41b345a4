// The first layer of tenant isolation: types decide what may be queried. Row level security is the second.
import { eq, type SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import * as z from 'zod'
import {
  type DatabaseRole,
  type DatabaseScope,
  type Db,
  markTransaction,
  type Queries,
  queriesThrough,
  type RunStatement,
  refuseInsideTransaction,
  type Statement,
} from './client.ts'

/** A tenant id from a verified principal or a tenant look-up, never from a body. */
export type TenantId = string & { readonly __brand: 'TenantId' }

/** The deployment's own tenant: platform administrators, sign-ups of new companies, and events without a tenant. */
export const SYSTEM_TENANT = '00000000-0000-0000-0000-000000000000' as TenantId

/** Brands an id from a look-up or a verified token. Throws unless it is a lower-case UUID. */
export const asTenantId = (id: string): TenantId => {
  if (!z.regexes.guid.test(id) || id !== id.toLowerCase()) throw new Error('not a tenant id')
  return id as TenantId
}

/** Access to one tenant. Each statement outside a transaction is one round trip. */
export type TenantDb = { readonly tenantId: TenantId; readonly db: Queries; readonly run: RunStatement; readonly source: Db }
/** Access to one tenant inside a transaction. Only `atomically` creates one, so that a change and its audit event share it. */
export type TenantTx = TenantDb & {
  readonly inTransaction: true
  /** Every tenant that this transaction has worked in; commit listeners are called for each. */
  readonly entered: Set<string>
}
/** Access to the directory tables only: data that is needed before the tenant is known. */
export type DirectoryDb = { readonly directory: true; readonly db: Queries; readonly run: RunStatement; readonly source: Db }
/** Access of jobs across tenants, limited by the policies of their role. */
export type JobsDb = { readonly ofAllTenants: true; readonly db: Queries; readonly run: RunStatement; readonly source: Db }
/** Directory tables are not tenant-scoped, so any scope can read them. */
export type AnyScope = Pick<DirectoryDb, 'db' | 'run'>

const scoped = (source: Db, scope: DatabaseScope): { db: Queries; run: RunStatement; source: Db } => {
  const run: RunStatement = (statement) => {
    refuseInsideTransaction()
    return source.engine.one(scope, statement)
  }
  return { db: queriesThrough(run), run, source }
}

const handles = new WeakMap<Db, Map<string, ReturnType<typeof scoped>>>()
const KEPT_HANDLES = 1000
const handle = (source: Db, role: DatabaseRole, tenantId: string): ReturnType<typeof scoped> => {
  const known = handles.get(source) ?? new Map<string, ReturnType<typeof scoped>>()
  handles.set(source, known)
  const key = `${role}:${tenantId}`
  const made = known.get(key) ?? scoped(source, { role, tenantId })
  if (known.size >= KEPT_HANDLES) known.clear()
  known.set(key, made)
  return made
}

export const forTenant = (db: Db, tenantId: TenantId): TenantDb => ({ tenantId, ...handle(db, 'authsec_app', tenantId) })
export const directory = (db: Db): DirectoryDb => ({ directory: true, ...handle(db, 'authsec_app', '') })
export const acrossTenants = (db: Db): JobsDb => ({ ofAllTenants: true, ...handle(db, 'authsec_jobs', '') })

const within = <T>(db: Db, scope: DatabaseScope, work: (inner: { db: Queries; run: RunStatement; source: Db }) => Promise<T>): Promise<T> => {
  refuseInsideTransaction()
  return db.engine.transaction(scope, (run) => markTransaction(() => work({ db: queriesThrough(run), run, source: db })))
}

/**
 * Commits everything that `work` does when it returns, and rolls back when it throws. Inside, use the handle that is passed in; an outer one throws.
 * Called with a transaction, it joins it.
 */
export const atomically = async <T>(t: TenantDb, work: (t: TenantTx) => Promise<T>): Promise<T> => {
  if ('inTransaction' in t) return work(t as TenantTx)
  const entered = new Set<string>([t.tenantId])
  const result = await within(t.source, { role: 'authsec_app', tenantId: t.tenantId }, (inner) =>
    work({ ...inner, tenantId: t.tenantId, inTransaction: true, entered }),
  )
  for (const tenantId of entered) t.source.committed(tenantId)
  return result
}

/**
 * Runs a change that is one statement, including its audit events; it is committed when the promise resolves. The statement itself must check its
 * conditions. Called with a transaction, it joins it.
 */
export const runStatement = async (t: TenantDb, statement: Statement): Promise<unknown[]> => {
  const rows = await t.run(statement)
  if (!('inTransaction' in t)) t.source.committed(t.tenantId)
  return rows
}

/** As `atomically`, for the directory tables only. */
export const atomicallyInDirectory = <T>(db: Db, work: (d: DirectoryDb) => Promise<T>): Promise<T> =>
  within(db, { role: 'authsec_app', tenantId: '' }, (inner) => work({ ...inner, directory: true }))

/** One tenant's rows as the tables' owner: for retention, export and deletion, never for a request. */
export const asOwner = async <T>(db: Db, tenantId: TenantId | '', work: (t: TenantTx) => Promise<T>): Promise<T> => {
  const entered = new Set<string>(tenantId === '' ? [] : [tenantId])
  const result = await within(db, { role: 'authsec_owner', tenantId }, (inner) =>
    work({ ...inner, tenantId: tenantId as TenantId, inTransaction: true, entered }),
  )
  for (const id of entered) db.committed(id)
  return result
}

/** The condition with which every store query starts: the tenant's own rows. */
export const ownRows = (t: TenantDb, table: { readonly tenantId: PgColumn }): SQL => eq(table.tenantId, t.tenantId)

/**
 * Continues the same transaction in another tenant, and returns. For the few changes that two tenants share: a sign-up that waits in the system
 * tenant becomes a company; a platform administrator creates one. Both commit, or neither.
 */
export const inOtherTenant = async <T>(t: TenantTx, other: TenantId, work: (t: TenantTx) => Promise<T>): Promise<T> => {
  const enter = (tenantId: TenantId): Promise<unknown> =>
    t.run({ text: `select set_config('app.tenant_id', $1, true)`, params: [tenantId], arrays: true })
  t.entered.add(other)
  await enter(other)
  try {
    return await work({ ...t, tenantId: other })
  } finally {
    // Also for a caller that catches the error and continues. A transaction with a failed statement accepts no more, this one included.
    await enter(t.tenantId).catch(() => undefined)
  }
}

/** Applies all changes of `work`, or none of them, while the transaction continues: for bulk changes in which each item is independent. */
export const withSavepoint = async <T>(t: TenantTx, work: () => Promise<T>): Promise<T> => {
  const execute = (text: string): Promise<unknown> => t.run({ text, params: [], arrays: true })
  await execute('savepoint attempt')
  try {
    const result = await work()
    await execute('release savepoint attempt')
    return result
  } catch (error) {
    await execute('rollback to savepoint attempt')
    throw error
  }
}
