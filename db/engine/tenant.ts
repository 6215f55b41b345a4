// The first lock of tenant isolation: what may be queried is decided by type. Row level security is the second.
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

/** A tenant's id that came from a verified principal or a tenant look-up, never from a body. */
export type TenantId = string & { readonly __brand: 'TenantId' }

/** The deployment's own tenant: platform administrators, sign-ups of companies that do not exist yet, events that belong to no tenant. */
export const SYSTEM_TENANT = '00000000-0000-0000-0000-000000000000' as TenantId

/** Brands an id that a look-up or a verified token yielded. Throws on anything but a lower-case UUID. */
export const asTenantId = (id: string): TenantId => {
  if (!z.regexes.guid.test(id) || id !== id.toLowerCase()) throw new Error('not a tenant id')
  return id as TenantId
}

/** Reads of one tenant. Each statement outside a transaction is one round trip. */
export type TenantDb = { readonly tenantId: TenantId; readonly db: Queries; readonly run: RunStatement; readonly source: Db }
/** Reads and writes of one tenant inside a transaction; only `atomically` makes one, so that a change and its audit event share it. */
export type TenantTx = TenantDb & {
  readonly inTransaction: true
  /** Every tenant that this transaction works for; all are told of its commit. */
  readonly entered: Set<string>
}
/** The directory tables alone: what must be found before a tenant is known. */
export type DirectoryDb = { readonly directory: true; readonly db: Queries; readonly run: RunStatement; readonly source: Db }
/** What a job may see of all tenants, by the policies of its role. */
export type JobsDb = { readonly ofAllTenants: true; readonly db: Queries; readonly run: RunStatement; readonly source: Db }
/** Directory tables have no tenant's rows, so any scope reaches them. */
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
 * Commits everything that `work` does when it returns, and nothing when it throws. Inside, use the handle that is handed in; an outer one fails at once.
 * Called with a transaction, joins it.
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
 * A change that one statement makes, its audit events included: committed when it answers. It finds by itself whether it may, for nothing looks in between. Called
 * with a transaction, joins it.
 */
export const runStatement = async (t: TenantDb, statement: Statement): Promise<unknown[]> => {
  const rows = await t.run(statement)
  if (!('inTransaction' in t)) t.source.committed(t.tenantId)
  return rows
}

/** As `atomically`, on the directory tables alone. */
export const atomicallyInDirectory = <T>(db: Db, work: (d: DirectoryDb) => Promise<T>): Promise<T> =>
  within(db, { role: 'authsec_app', tenantId: '' }, (inner) => work({ ...inner, directory: true }))

/** One tenant's rows as the owner of the tables: for retention, export and deletion, never for a request. */
export const asOwner = async <T>(db: Db, tenantId: TenantId | '', work: (t: TenantTx) => Promise<T>): Promise<T> => {
  const entered = new Set<string>(tenantId === '' ? [] : [tenantId])
  const result = await within(db, { role: 'authsec_owner', tenantId }, (inner) =>
    work({ ...inner, tenantId: tenantId as TenantId, inTransaction: true, entered }),
  )
  for (const id of entered) db.committed(id)
  return result
}

/** The tenant's own rows of a table: the condition that every store query starts with. */
export const ownRows = (t: TenantDb, table: { readonly tenantId: PgColumn }): SQL => eq(table.tenantId, t.tenantId)

/**
 * Goes on in the same transaction as another tenant, and comes back. For the few changes that two tenants share: a sign-up that waits in the system tenant
 * becomes a company; a platform administrator creates one. Both commit, or neither.
 */
export const inOtherTenant = async <T>(t: TenantTx, other: TenantId, work: (t: TenantTx) => Promise<T>): Promise<T> => {
  const enter = (tenantId: TenantId): Promise<unknown> =>
    t.run({ text: `select set_config('app.tenant_id', $1, true)`, params: [tenantId], arrays: true })
  t.entered.add(other)
  await enter(other)
  try {
    return await work({ ...t, tenantId: other })
  } finally {
    // Also for whoever catches what `work` threw and goes on. A transaction that a statement has broken takes no more, this one included.
    await enter(t.tenantId).catch(() => undefined)
  }
}

/** All that `work` does, or nothing of it, while the transaction goes on: for many changes of which each stands alone. */
export const withSavepoint = async <T>(t: TenantTx, work: () => Promise<T>): Promise<T> => {
  const say = (text: string): Promise<unknown> => t.run({ text, params: [], arrays: true })
  await say('savepoint attempt')
  try {
    const result = await work()
    await say('release savepoint attempt')
    return result
  } catch (error) {
    await say('rollback to savepoint attempt')
    throw error
  }
}
