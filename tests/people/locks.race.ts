// Every operation locks a person's row and the person's tickets in the same order; otherwise two concurrent changes could deadlock.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { endLoginTransactions } from '#db/store/login-transactions'
import { lockUser } from '#db/store/users'
import { startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
import { accountRoutes } from '../../functions/account/routes.ts'
import { adminRoutes } from '../../functions/admin/routes.ts'
import { peopleRoutes } from '../../functions/people/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { userRoutes } from '../../functions/user/routes.ts'
import { PASSWORD, type Person, startApp } from '../support/app.ts'

const NEXT = 'violet-anchors-hum-quietly'
/** Long enough for a request to reach the locked row. */
const REACHED_MS = 250

const house = async () => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes, ...userRoutes, ...peopleRoutes, ...accountRoutes])
  const company = await app.company()
  return { app, company, token: await app.token(company.admin) }
}
type House = Awaited<ReturnType<typeof house>>

/** Runs `request` while another transaction holds the person's row and then ends the tickets, as a password change does. */
const meanwhile = async ({ app }: House, person: Person, request: () => Promise<Response>): Promise<number> => {
  const t = forTenant(app.db, person.tenantId)
  await atomically(t, (tx) => startLoginTransaction(tx, app.ctx, { purpose: 'login', userId: person.id, clientId: null, verified: [], seconds: 600 }))
  let [held, goOn] = [(): void => undefined, (): void => undefined]
  const isHeld = new Promise<void>((resolve) => {
    held = resolve
  })
  const may = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const other = atomically(t, async (tx) => {
    await lockUser(tx, person.id)
    held()
    await may
    await endLoginTransactions(tx, person.id, app.clock.now())
  })
  await isHeld
  const answer = request()
  await new Promise((resolve) => setTimeout(resolve, REACHED_MS))
  goOn()
  await other
  return (await answer).status
}

const linkFor = async ({ app }: House, person: Person): Promise<string> =>
  atomically(forTenant(app.db, person.tenantId), (t) =>
    startLoginTransaction(t, app.ctx, {
      purpose: 'set_password',
      userId: person.id,
      clientId: null,
      verified: [],
      data: { email: person.email },
      seconds: 600,
    }),
  )

type Operation = (h: House, person: Person) => Promise<() => Promise<Response>>
const ADMIN = '/authsec/uflow/admin'
const USER = '/authsec/uflow/user'
const operations: readonly [string, number, Operation][] = [
  [
    'an administrator sets the password',
    200,
    async ({ app, company, token }, { id }) =>
      () =>
        app.request(`${USER}/admin/change-password`, { token, body: { tenant_id: company.tenantId, user_id: id, new_password: NEXT } }),
  ],
  [
    'an administrator resets the password',
    200,
    async ({ app, company, token }, { id }) =>
      () =>
        app.request(`${USER}/admin/reset-password`, { token, body: { tenant_id: company.tenantId, user_id: id } }),
  ],
  [
    'the person is disabled',
    200,
    async ({ app, company, token }, { id }) =>
      () =>
        app.request(`${ADMIN}/users/active`, { token, body: { tenant_id: company.tenantId, user_id: id, active: false } }),
  ],
  [
    'the person is deleted',
    200,
    async ({ app, token }, { id }) =>
      () =>
        app.request(`${ADMIN}/users/delete_all/${id}`, { method: 'DELETE', token, body: {} }),
  ],
  [
    'the person is erased',
    200,
    async ({ app, token }, { id }) =>
      () =>
        app.request(`/people/${id}/erase`, { method: 'POST', token }),
  ],
  [
    'the address is moved',
    200,
    async ({ app, token }, { id, email }) =>
      () =>
        app.request(`/people/${id}`, { method: 'PATCH', token, body: { email: `new-${email}` }, headers: { 'if-match': '*' } }),
  ],
  [
    'an import moves the address',
    200,
    async ({ app, token }, { id, email }) => {
      const externalId = `x-${id}`
      await app.request(`/people/${id}`, { method: 'PATCH', token, body: { external_id: externalId }, headers: { 'if-match': '*' } })
      const body = `email,external_id\nnew-${email},${externalId}\n`
      return () => app.request('/people/import', { token, body, headers: { 'content-type': 'text/csv' } })
    },
  ],
  [
    'the set-password link is used while its tickets end',
    400,
    async (h, person) => {
      const ticket = await linkFor(h, person)
      return () => h.app.request('/account/set-password', { body: { ticket, new_password: NEXT } })
    },
  ],
  [
    'the person changes the password',
    204,
    async ({ app }, person) => {
      const token = await app.token(person)
      return () => app.request('/account/password', { token, body: { current_password: PASSWORD, new_password: NEXT } })
    },
  ],
]

test.each(operations)('%s', async (_, status, operation) => {
  const h = await house()
  const person = await h.app.person(h.company)
  expect(await meanwhile(h, person, await operation(h, person))).toBe(status)
})
