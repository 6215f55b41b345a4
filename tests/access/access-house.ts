// An app with both administrative APIs and the audit log, and short helpers to call it.

import { adminRoutes } from '../../functions/admin/routes.ts'
import { auditRoutes } from '../../functions/audit/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { userRoutes } from '../../functions/user/routes.ts'
import { type Company, type Grant, type Person, startApp } from '../support/app.ts'

const ADMIN = '/authsec/uflow/admin'
const USER = '/authsec/uflow/user'

export type Side = {
  readonly rbac: string
  readonly scopes: string
  /** Permissions that a caller needs in addition to the permission on the object. */
  readonly needs: readonly `${string}:${string}`[]
}
export const SIDES: readonly [string, Side][] = [
  ['for administrators', { rbac: ADMIN, scopes: ADMIN, needs: ['admin:access'] }],
  ['in the end-user API', { rbac: `${USER}/rbac`, scopes: USER, needs: [] }],
]

export type HouseAnswer = { readonly status: number; readonly body: Record<string, unknown> & unknown[]; readonly headers: Headers }

export const startAccessWorld = async () => {
  const app = await startApp([...adminRoutes, ...userRoutes, ...rolesRoutes, ...tenantsRoutes, ...auditRoutes])

  /** Calls as the person: `as(person)('POST', path, body)`. */
  const as = (person: Person, amr?: readonly string[]) => {
    let token: Promise<string> | undefined
    return async (method: string, path: string, body?: unknown): Promise<HouseAnswer> => {
      token ??= app.token(person, amr)
      const response = await app.request(path, { method, token: await token, ...(body === undefined ? {} : { body }) })
      return { status: response.status, body: (await response.json()) as HouseAnswer['body'], headers: response.headers }
    }
  }

  /** A company, its administrator's calls, and a helper that creates people with some permissions. */
  const open = async (label?: string) => {
    const company: Company = await app.company(label)
    const admin = as(company.admin)
    return {
      company,
      admin,
      person: async (grant: Grant = []) => {
        const person = await app.person(company, grant)
        return { person, call: as(person) }
      },
      /** The newest event of a kind, with its values before and after the change. */
      event: async (name: string) => {
        const { body } = await admin('GET', `/audit/events?event=${name}&limit=1`)
        const [event] = (body as unknown as { events: Record<string, unknown>[] }).events
        // So that the next event is newer and not of the same millisecond.
        app.clock.advance(0.001)
        return event
      },
    }
  }
  return { ...app, as, open }
}
export type AccessHouse = Awaited<ReturnType<typeof startAccessWorld>>

/** The body of a response that must be a success. */
export const done = (answer: HouseAnswer): HouseAnswer['body'] => {
  if (answer.status >= 400) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}
export const UNKNOWN_ID = '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'

export type HouseCall = (method: string, path: string, body?: unknown) => Promise<HouseAnswer>
export const roleOf = async (call: HouseCall, rbac: string, name: string, ...permissions: string[]): Promise<string> =>
  String(done(await call('POST', `${rbac}/roles`, { name, permission_strings: permissions })).id)
/** Id of the tenant's administrator role. */
export const systemRole = async (call: HouseCall, rbac: string): Promise<string> => {
  const roles = done(await call('GET', `${rbac}/roles?search=admin`)) as unknown as { id: string; name: string; is_system: boolean }[]
  return roles.find((role) => role.is_system && role.name === 'admin')?.id ?? ''
}
export const bindingsOf = async (call: HouseCall, rbac: string, userId: string) =>
  done(await call('GET', `${rbac}/bindings?user_id=${userId}`)) as unknown as { id: string; role_name: string }[]
