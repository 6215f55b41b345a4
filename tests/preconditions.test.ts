// When two callers read the same object and change it, the second change is refused, and the first one is kept.
import { describe, expect, test } from 'vitest'
import { adminRoutes } from '../functions/admin/routes.ts'
import { agentRoutes } from '../functions/agents/routes.ts'
import { clientsRoutes } from '../functions/clients/routes.ts'
import { connectionRoutes } from '../functions/connections/routes.ts'
import { peopleRoutes } from '../functions/people/routes.ts'
import { rolesRoutes } from '../functions/roles/routes.ts'
import { tenantsRoutes } from '../functions/tenants/routes.ts'
import { userRoutes } from '../functions/user/routes.ts'
import { webhookRoutes } from '../functions/webhooks/routes.ts'
import { PAYMENT } from './support/agents.ts'
import { startApp } from './support/app.ts'

const house = async () => {
  const app = await startApp([
    ...adminRoutes,
    ...rolesRoutes,
    ...tenantsRoutes,
    ...userRoutes,
    ...clientsRoutes,
    ...peopleRoutes,
    ...webhookRoutes,
    ...agentRoutes,
    ...connectionRoutes,
  ])
  const company = await app.company()
  const token = await app.token(company.admin, ['pwd', 'otp'])
  const call = async (method: string, path: string, body?: unknown, ifMatch?: string) => {
    const headers: Record<string, string> = ifMatch === undefined ? {} : { 'if-match': ifMatch }
    const response = await app.request(path, { method, token, headers, ...(body === undefined ? {} : { body }) })
    return { status: response.status, etag: response.headers.get('etag') ?? '', body: (await response.json()) as Record<string, unknown> }
  }
  return { app, company, call }
}
type House = Awaited<ReturnType<typeof house>>

const ADMIN = '/authsec/uflow/admin'
const USER = '/authsec/uflow/user'
type Kind = {
  readonly read: string
  readonly write: string
  readonly method: string
  readonly change: (name: string) => object
  readonly required: boolean
}
const role = (writeAt: string) => async (h: House) => {
  const { body } = await h.call('POST', `${ADMIN}/roles`, { name: 'Reader', permission_strings: ['users:read'] })
  const change = (name: string) => ({ name, permission_strings: ['users:read'] })
  return { read: `${ADMIN}/roles/${body.id}`, write: `${writeAt}/roles/${body.id}`, method: 'PUT', change, required: false }
}
const apiScope = (at: string) => async (h: House) => {
  const { body } = await h.call('POST', `${at}/api_scopes`, { name: 'docs:all' })
  const path = `${at}/api_scopes/${body.id}`
  return { read: path, write: path, method: 'PUT', change: (description: string) => ({ description }), required: false }
}
const SHARED_JWKS = 'https://idp.partner.example.com/jwks'
/** Created at `at`, changed at the path where it is read. */
const made = (at: string, body: object, changed: string) => async (h: House) => {
  const path = `${at}/${(await h.call('POST', at, body)).body.id}`
  return { read: path, write: path, method: 'PATCH', change: (text: string) => ({ [changed]: text }), required: true }
}
const OKTA = { name: 'okta', display_name: 'Okta', issuer: 'https://acme.okta.com', client_id: '0oa1', client_secret: 'kept-to-themselves' }
const kinds: readonly [string, (h: House) => Promise<Kind>][] = [
  ['a role', role(ADMIN)],
  ['a role, in the end-user API', role(`${USER}/rbac`)],
  ['an API scope', apiScope(ADMIN)],
  ['an API scope, in the end-user API', apiScope(USER)],
  [
    'a client',
    async (h) => {
      const base = `/authsec/clientms/tenants/${h.company.tenantId}/clients`
      const { body } = await h.call('POST', `${base}/create`, { name: 'Shop', email: 'shop@acme.example' })
      const path = `${base}/${body.client_id}`
      return { read: path, write: path, method: 'PATCH', change: (name: string) => ({ name }), required: false }
    },
  ],
  [
    'a person',
    async (h) => {
      const path = `/people/${(await h.app.person(h.company)).id}`
      return { read: path, write: path, method: 'PATCH', change: (name: string) => ({ name }), required: true }
    },
  ],
  ['a webhook', made('/webhooks', { url: 'https://hooks.acme.com/', events: ['*'] }, 'description')],
  ['an agent', made('/agents', { name: 'Robo', agent_type: 'assistant' }, 'name')],
  [
    'a type of authorization details',
    made('/authorization-types', { type: PAYMENT.type, title: PAYMENT.title, json_schema: PAYMENT.jsonSchema, limits: PAYMENT.limits }, 'title'),
  ],
  [
    'a trusted issuer',
    made('/trusted-issuers', { name: 'Partner', issuer: 'https://idp.partner.example.com', accepts: { jwt: true, jwks_uri: SHARED_JWKS } }, 'name'),
  ],
  ['a provider of the company’s own', made('/connections', OKTA, 'display_name')],
]

describe.each(kinds)('%s', (_, make) => {
  test('changes with the ETag that was read, and is refused after another change', async () => {
    const h = await house()
    const { read, write, method, change, required } = await make(h)
    const { etag } = await h.call('GET', read)
    expect(etag).toMatch(/^"[\w-]{22}"$/)
    expect((await h.call(method, write, change('The first'), etag)).status).toBe(200)
    const now = await h.call('GET', read)
    expect(now.etag).not.toBe(etag)
    for (const tag of [etag, `W/${now.etag}`, '"another"'])
      expect(await h.call(method, write, change('The second'), tag)).toMatchObject({ status: 412, body: { code: 'precondition_failed' } })
    expect((await h.call('GET', read)).body).toEqual(now.body)
    const bare = await h.call(method, write, change('No condition'))
    expect(bare.status).toBe(required ? 428 : 200)
    if (required) expect(bare.body).toMatchObject({ code: 'precondition_required' })
    expect((await h.call(method, write, change('Whatever it is'), '*')).status).toBe(200)
    const { etag: latest } = await h.call('GET', read)
    expect((await h.call(method, write, change('One of these'), `"another", ${latest}`)).status).toBe(200)
  })
})

test.each(kinds)('%s: of eight concurrent changes with the same ETag one succeeds', async (_, make) => {
  const h = await house()
  const { read, write, method, change } = await make(h)
  const { etag } = await h.call('GET', read)
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => h.call(method, write, change(`Number ${n}`), etag)))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(412)])
  const heard = answers.findIndex(({ status }) => status === 200)
  expect(Object.values((await h.call('GET', read)).body)).toContain(`Number ${heard}`)
})

test('assigning a role and the state of deliveries do not change the ETag', async () => {
  const h = await house()
  const { body } = await h.call('POST', `${ADMIN}/roles`, { name: 'Reader', permission_strings: ['users:read'] })
  const path = `${ADMIN}/roles/${body.id}`
  const { etag } = await h.call('GET', path)
  const { id } = await h.app.person(h.company)
  expect((await h.call('POST', `${ADMIN}/bindings`, { user_id: id, role_id: body.id })).status).toBe(200)
  expect((await h.call('GET', path)).etag).toBe(etag)
})
