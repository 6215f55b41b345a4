// Shared setup for tests of sign-up and sign-in: reading a mailed code, changing an account in the database, counting statements, searching for leaks.
import { type Db, type Engine, openDb, type RunStatement, statementParts } from '#db/engine/client'
import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { claimDomain } from '#db/store/domains'
import { insertFactor } from '#db/store/factors'
import { findTenant, setTenantStatus, type TenantSettings, type TenantStatus, updateTenantSettings } from '#db/store/tenants'
import { findUser, type NewUser, updateUser } from '#db/store/users'
import { openDetails } from '#shared/domains/audit/details'
import type { MailMessage } from '#shared/platform/outbox/mail/mail'
import type { Company, Person, TestApp } from './app.ts'

/** The six-digit code of the last mail. */
export const codeIn = (mails: readonly Pick<MailMessage, 'text'>[]): string => {
  const code = /^\s*(\d{6})\s*$/m.exec(mails.at(-1)?.text ?? '')?.[1]
  if (code === undefined) throw new Error('no code was mailed')
  return code
}
/** A different six-digit code. */
export const wrongCode = (code: string, by = 1): string => String((Number(code) + by) % 1_000_000).padStart(6, '0')

export const change = (app: TestApp, person: Person, set: Partial<NewUser>): Promise<boolean> =>
  atomically(forTenant(app.db, person.tenantId), (t) => updateUser(t, person.id, set))
export const rowOf = (app: TestApp, person: Person) => findUser(forTenant(app.db, person.tenantId), person.id)
export const setStatus = (app: TestApp, company: Company, status: TenantStatus): Promise<void> =>
  atomically(forTenant(app.db, company.tenantId), (t) => setTenantStatus(t, status, app.clock.now()))
export const configure = (app: TestApp, company: Company, settings: TenantSettings): Promise<void> =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    const tenant = await findTenant(t)
    await updateTenantSettings(t, { ...tenant?.settings, ...settings }, app.clock.now())
  })
export const verifyDomain = (app: TestApp, company: Company, domain: string): Promise<boolean> =>
  atomically(forTenant(app.db, company.tenantId), (t) => claimDomain(t, { domain, kind: 'custom', isVerified: true, createdAt: app.clock.now() }))
/** As a confirmed enrolment does. */
export const enrol = (app: TestApp, person: Person, kind: 'webauthn' | 'totp' | 'sms' = 'totp'): Promise<void> =>
  atomically(forTenant(app.db, person.tenantId), (t) =>
    insertFactor(t, { id: app.ctx.random.id(), userId: person.id, kind, confirmedAt: app.clock.now(), createdAt: app.clock.now() }),
  )

/** A database that counts statements. */
export const countingDb = (db: Db): { readonly db: Db; readonly statements: () => number } => {
  let count = 0
  const counted =
    (run: RunStatement): RunStatement =>
    (statement) => {
      count += statementParts(statement).length
      return run(statement)
    }
  const engine: Engine = {
    ...db.engine,
    one: (scope, statement) => {
      count += statementParts(statement).length
      return db.engine.one(scope, statement)
    },
    transaction: (scope, work) => db.engine.transaction(scope, (run) => work(counted(run))),
  }
  return { db: openDb(engine), statements: () => count }
}

export type Body = Readonly<Record<string, unknown>>
export const bodyOf = async (response: Response): Promise<Body> => (await response.json()) as Body
/** A member that must be a text. */
export const textIn = (body: Body, name: string): string => {
  const value = body[name]
  if (typeof value !== 'string') throw new Error(`${name} is not a text in ${JSON.stringify(body)}`)
  return value
}

/** The body of a response. `request_id` differs in every one. */
export const outcomeOf = async (response: Response): Promise<{ status: number; body: unknown }> => {
  const { request_id: _, ...body } = (await response.json()) as Record<string, unknown>
  return { status: response.status, body }
}

/** Events of a route in a tenant, ordered by name (the clock stands still); a refusal with its reason. */
export const eventsOf = async (app: TestApp, tenantId: TenantId, route: string): Promise<string[]> =>
  (await app.events(tenantId))
    .filter((row) => row.route === route)
    .map((row) => (row.outcome === 'refused' ? `refused: ${row.reason}` : row.event))
    .sort()

/** The secrets that occur in a log line, or in the audit log of these tenants, sealed parts included. */
export const leaked = async (app: TestApp, tenants: readonly TenantId[], secrets: readonly string[]): Promise<string[]> => {
  const texts = [...app.log.lines]
  for (const tenantId of tenants) {
    const t = forTenant(app.db, tenantId)
    for (const row of await app.events(tenantId)) {
      const opened = await openDetails(app.ctx, t, row)
      texts.push(JSON.stringify({ ...row, sealed: opened }))
    }
  }
  return secrets.filter((secret) => texts.some((text) => text.includes(secret)))
}
