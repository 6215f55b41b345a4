// Disabling or revoking any link of a delegation chain ends all tokens below it at the next check: introspection, exchange, spending.
import { expect, test } from 'vitest'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { setClientActive } from '#db/store/clients'
import { deleteConsent, listConsents } from '#db/store/oauth-authorizations'
import { revokeDelegationsOfPolicy } from '#db/store/oauth-delegations'
import { revokeAuthorization } from '#db/store/oauth-families'
import { deleteUser, setUserActive } from '#db/store/people'
import { removeClientFrom, updateResourceServer } from '#db/store/resource-servers'
import { revokeSessions, revokeToken } from '#db/store/sessions'
import { setTenantStatus } from '#db/store/tenants'
import { secondsAfter } from '#shared/kernel/clock'
import { authorizationServerError } from '#shared/platform/http/problem'
import { exchange, introspected, newAgent, newDetailType, newExchanger, newPolicy, payment } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { claimsOf, codeFor, newResource, oauthBrowser, postForm, VERIFIER } from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

/** A person, a client that the person authorized, an agent, and a second agent that acts for the first: each with its token. */
const chain = async (withOwnToken = false) => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }])
  await newDetailType(app, company)
  const client = await newExchanger(app, company, { at: [server] })
  const person = await app.person(company)
  const owners = [await app.person(company), await app.person(company)] as const
  const agents = [await newAgent(app, company, owners[0].id, { at: [server] }), await newAgent(app, company, owners[1].id, { at: [server] })] as const
  const policy = await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read'] })
  const browser = await oauthBrowser(app, person)
  const code = await codeFor(browser, client, { scope: 'tools:read', authorization_details: JSON.stringify([payment()]) })
  const headers = { authorization: client.authorization }
  const set = await (await postForm(app, '/oauth/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER }, headers)).json()
  const root: string = set.access_token
  const middle: string = (await (await exchange(app, agents[0], root)).json()).access_token
  const leaf: string = (await (await exchange(app, agents[1], middle)).json()).access_token
  const own: string = withOwnToken
    ? (await (await postForm(app, '/oauth/token', { grant_type: 'client_credentials' }, { authorization: agents[1].authorization })).json())
        .access_token
    : leaf
  const spend = (token: string) => postForm(app, '/oauth/spend', { token, calls: '1' }, { authorization: server.authorization })
  return { app, company, server, client, person, owners, agents, policy, root, middle, leaf, own, spend, t: forTenant(app.db, company.tenantId) }
}
type Chain = Awaited<ReturnType<typeof chain>>
const inTx = (c: Chain, work: (t: TenantTx, now: Date) => Promise<unknown>): Promise<unknown> => atomically(c.t, (t) => work(t, c.app.clock.now()))
const revoked = (token: (c: Chain) => string) => (c: Chain) =>
  inTx(c, (t, now) => revokeToken(t, String(claimsOf(token(c)).jti), secondsAfter(now, 600), now))

const REVOCATIONS: readonly (readonly [string, (c: Chain) => Promise<unknown>])[] = [
  ['the person is disabled', (c) => inTx(c, (t, now) => setUserActive(t, c.person.id, false, now))],
  ['the person is deleted', (c) => inTx(c, (t) => deleteUser(t, c.person.id))],
  ['the session is revoked', (c) => inTx(c, (t, now) => revokeSessions(t, c.person.id, now, 'ended'))],
  [
    'the consent is revoked',
    async (c) => {
      const [grant] = await listConsents(c.t, c.person.id, { sort: 'updated_at', descending: true, limit: 10 })
      await inTx(c, (t) => deleteConsent(t, grant?.id ?? '', c.person.id))
    },
  ],
  ['the authorization is revoked', (c) => inTx(c, (t, now) => revokeAuthorization(t, String(claimsOf(c.root).authorization_id), now, 'test'))],
  ['the client is disabled', (c) => inTx(c, (t, now) => setClientActive(t, c.client.id, false, now))],
  ['the first agent is disabled', (c) => inTx(c, (t, now) => setClientActive(t, c.agents[0].id, false, now))],
  ['the last agent is disabled', (c) => inTx(c, (t, now) => setClientActive(t, c.agents[1].id, false, now))],
  [
    'the first agent is disabled and enabled again',
    (c) =>
      inTx(c, async (t, now) => {
        await setClientActive(t, c.agents[0].id, false, secondsAfter(now, 1))
        await setClientActive(t, c.agents[0].id, true, secondsAfter(now, 2))
      }),
  ],
  ['the owner of the first agent is disabled', (c) => inTx(c, (t, now) => setUserActive(t, c.owners[0].id, false, now))],
  ['the owner of the first agent is deleted', (c) => inTx(c, (t) => deleteUser(t, c.owners[0].id))],
  ['the owner of the last agent is disabled', (c) => inTx(c, (t, now) => setUserActive(t, c.owners[1].id, false, now))],
  ['the first token is revoked', revoked((c) => c.root)],
  ['the middle token is revoked', revoked((c) => c.middle)],
  ['the last token is revoked', revoked((c) => c.leaf)],
  ['the policy is changed', (c) => inTx(c, (t, now) => revokeDelegationsOfPolicy(t, c.policy, now, 'test'))],
  ['the client is removed from the resource server', (c) => inTx(c, (t) => removeClientFrom(t, c.server.id, c.client.id))],
  ['the first agent is removed from the resource server', (c) => inTx(c, (t) => removeClientFrom(t, c.server.id, c.agents[0].id))],
  ['the resource server is disabled', (c) => inTx(c, (t, now) => updateResourceServer(t, c.server.id, { active: false, updatedAt: now }))],
  ['the company is suspended', (c) => inTx(c, (t) => setTenantStatus(t, 'suspended', c.app.clock.now()))],
]

test('Before a revocation all tokens of a chain are active, and introspection returns all actors', async () => {
  const c = await chain()
  for (const token of [c.root, c.middle, c.leaf]) {
    expect(await introspected(c.app, c.server, token)).toMatchObject({ active: true, sub: c.person.id })
    expect((await c.spend(token)).status).toBe(200)
  }
  expect((await introspected(c.app, c.server, c.leaf)).act).toEqual({
    sub: c.agents[1].id,
    client_id: c.agents[1].id,
    act: { sub: c.agents[0].id, client_id: c.agents[0].id },
  })
})

test.each(REVOCATIONS)('When %s, the tokens below it are inactive', async (name, revoke) => {
  const c = await chain()
  await revoke(c)
  const description = await introspected(c.app, c.server, c.leaf)
  if (name === 'the resource server is disabled') expect(description.error).toBe('invalid_client')
  else expect(description).toEqual({ active: false })
  const spent = await c.spend(c.leaf)
  expect(spent.status).toBeGreaterThanOrEqual(400)
  const exchanged = await exchange(c.app, c.agents[1], c.leaf)
  expect(exchanged.status).toBeGreaterThanOrEqual(400)
  expect(exchanged.status).toBeLessThan(500)
})

test('Tokens above a disabled agent stay active', async () => {
  const c = await chain()
  await inTx(c, (t, now) => setClientActive(t, c.agents[1].id, false, now))
  for (const token of [c.root, c.middle]) expect(await introspected(c.app, c.server, token)).toMatchObject({ active: true })
  await inTx(c, (t, now) => setClientActive(t, c.agents[0].id, false, now))
  expect(await introspected(c.app, c.server, c.middle)).toEqual({ active: false })
  expect(await introspected(c.app, c.server, c.root)).toMatchObject({ active: true })
})

test('Without an active owner an agent gets no token, also for itself', async () => {
  const c = await chain(true)
  expect(await introspected(c.app, c.server, c.own)).toMatchObject({ active: true, owner_id: c.owners[1].id, agent_type: 'assistant' })
  await inTx(c, (t, now) => setUserActive(t, c.owners[1].id, false, now))
  expect(await introspected(c.app, c.server, c.own)).toEqual({ active: false })
  const requested = await postForm(c.app, '/oauth/token', { grant_type: 'client_credentials' }, { authorization: c.agents[1].authorization })
  expect([requested.status, (await requested.json()).error]).toEqual([401, 'invalid_client'])
})

test('A permission that the person lost is lost in every chain', async () => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:write', permission: 'tools:write' }])
  const client = await newExchanger(app, company, { at: [server] })
  const person = await app.person(company, ['tools:write'])
  const agent = await newAgent(app, company, company.admin.id, { at: [server] })
  await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:write'] })
  const code = await codeFor(await oauthBrowser(app, person), client, { scope: 'tools:write' })
  const set = await (
    await postForm(app, '/oauth/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER }, { authorization: client.authorization })
  ).json()
  const delegated = (await (await exchange(app, agent, set.access_token)).json()).access_token
  expect(await introspected(app, server, delegated)).toMatchObject({ active: true })
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    t.run({
      text: 'delete from authsec.role_permissions where tenant_id = $1 and role_id in (select role_id from authsec.role_bindings where user_id = $2)',
      params: [t.tenantId, person.id],
      arrays: true,
    }),
  )
  expect(await introspected(app, server, delegated)).toEqual({ active: false })
})
