// Shared setup for tests of second factors: an app set up through the API, a login ticket, and the state that a refusal must not change.
import { sql } from 'drizzle-orm'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { type Company, PASSWORD, type Person, type TestApp } from './app.ts'
import { bodyOf, textIn } from './sign-in.ts'
import { appCode } from './totp.ts'

export const CODES = '/authsec/webauthn/totp'
export const CALLBACK = '/authsec/uflow/login/webauthn-callback'

/** The password step of an end user or an administrator at the company's client. */
export const loginTransactionFor = async (app: TestApp, company: Company, person: Person): Promise<string> =>
  textIn(
    await bodyOf(await app.request('/authsec/uflow/user/login', { body: { client_id: company.clientId, email: person.email, password: PASSWORD } })),
    'login_ticket',
  )

export const whoIs = (person: Person, more: Record<string, unknown> = {}) => ({ tenant_id: person.tenantId, email: person.email, ...more })

export const mintEndUser = (app: TestApp, person: Person, transactionToken: string): Promise<Response> =>
  app.request('/authsec/uflow/auth/enduser/webauthn-callback', { body: whoIs(person, { mfa_verified: true, login_ticket: transactionToken }) })

export type App = { readonly seed: string; readonly backupCodes: readonly string[] }

/** Sets an authenticator app up, by a session or a ticket; the clock advances one time step, so that its next code is unused. */
export const setUpApp = async (app: TestApp, person: Person, by: { readonly token?: string; readonly ticket?: string }): Promise<App> => {
  const call = { ...(by.token === undefined ? {} : { token: by.token }) }
  const proof = by.ticket === undefined ? {} : { login_ticket: by.ticket }
  const begun = await app.request(`${CODES}/beginSetup`, { ...call, body: whoIs(person, proof) })
  if (begun.status !== 200) throw new Error(`beginSetup: ${begun.status} ${await begun.text()}`)
  const seed = textIn(await bodyOf(begun), 'secret')
  const confirmed = await app.request(`${CODES}/confirmSetup`, {
    ...call,
    body: whoIs(person, { ...proof, secret: seed, code: appCode(seed, app.clock.now()) }),
  })
  if (confirmed.status !== 200) throw new Error(`confirmSetup: ${confirmed.status} ${await confirmed.text()}`)
  app.clock.advance(60)
  return { seed, backupCodes: (await bodyOf(confirmed)).backup_codes as string[] }
}

const TABLES = ['factors', 'totp_secrets', 'sms_phones', 'backup_codes', 'sessions', 'tickets', 'pending_enrolments'] as const
/** The state that decides who can sign in, without counters: rows of the tables of factors, sessions and tickets. */
export const factorState = async (app: TestApp, tenantId: TenantId): Promise<Record<string, unknown>> => {
  const t = forTenant(app.db, tenantId)
  const found: Record<string, unknown> = {}
  for (const table of TABLES) {
    const rows = await t.db.execute<{ row: Record<string, unknown> }>(
      sql`select to_jsonb(r) - 'failed_attempts' - 'paused_until' - 'attempts' - 'refusals' as row from authsec.${sql.identifier(table)} r where tenant_id = ${tenantId} order by 1::text`,
    )
    found[table] = rows.map(({ row }) => row)
  }
  return found
}
