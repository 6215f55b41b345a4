// A policy changes at the moment of an exchange: either the exchange knows, or the change does.
import { expect, test } from 'vitest'
import type { Db } from '#db/engine/client'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertIssuer } from '#db/store/oauth-issuers'
import { TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { authorizationServerError } from '#shared/platform/http/problem'
import { exchange, introspected, newAgent, newExchanger, newPolicy } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { interruptedDb } from '#tests/support/interrupted'
import { codeFor, newResource, oauthBrowser, postForm, VERIFIER } from '#tests/support/oauth'
import { agentRoutes } from '../agents/routes.ts'
import { oauthRoutes } from './routes.ts'

const start = async (db?: Db) => {
  const app = await startApp([...oauthRoutes, ...agentRoutes], { render: authorizationServerError, ...(db === undefined ? {} : { db }) })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }, { name: 'tools:write' }])
  const client = await newExchanger(app, company, { at: [server] })
  const person = await app.person(company)
  const agent = await newAgent(app, company, person.id, { at: [server] })
  const policy = await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read', 'tools:write'] })
  const admin = await app.token(company.admin, ['pwd', 'otp'])
  const browser = await oauthBrowser(app, person)
  const form = { grant_type: 'authorization_code', code: await codeFor(browser, client, { scope: 'openid tools:read' }), code_verifier: VERIFIER }
  const { access_token: subject } = await (await postForm(app, '/oauth/token', form, { authorization: client.authorization })).json()
  const change = (method: 'PUT' | 'DELETE', body?: unknown) =>
    app.request(`/authsec/uflow/delegation-policies/${policy}`, { method, token: admin, ...(body === undefined ? {} : { body }) })
  const rows = async () =>
    (
      await forTenant(app.db, company.tenantId).run({
        text: 'select id from authsec.oauth_delegations where tenant_id = $1 and revoked_at is null',
        params: [company.tenantId],
        arrays: true,
      })
    ).length
  return { app, company, server, agent, person, policy, subject, change, rows }
}

const CHANGES = [
  ['narrowed', 'update authsec.delegation_policies set max_ttl_seconds = 60 where id = $1'],
  ['switched off', 'update authsec.delegation_policies set enabled = false where id = $1'],
  ['left to another type', `update authsec.delegation_policies set agent_type = 'other' where id = $1`],
  ['removed', 'delete from authsec.delegation_policies where id = $1'],
] as const

test.each(CHANGES)('a policy that is %s after it was read issues nothing, and a second try is judged by what it says', async (_, text) => {
  const { db, before } = await interruptedDb()
  const { app, company, agent, policy, subject, rows } = await start(db)
  before(() => atomically(forTenant(db, company.tenantId), (t) => t.run({ text, params: [policy], arrays: true })))
  const refused = await exchange(app, agent, subject)
  expect([refused.status, refused.headers.get('retry-after'), await rows()]).toEqual([503, '1', 0])
  const again = await exchange(app, agent, subject)
  expect([again.status, (await again.json()).expires_in]).toEqual(text.includes('60') ? [200, 60] : [400, undefined])
})

test.each(CHANGES)('a policy that is %s after it was read asserts nobody elsewhere', async (_, text) => {
  const { db, before } = await interruptedDb()
  const { app, company, agent, person, subject } = await start(db)
  const { access_token: left } = await (await exchange(app, agent, subject)).json()
  const [there, at, t] = ['https://as.partner.example.com', app.clock.now(), forTenant(db, company.tenantId)]
  const sends = { sends: true, clientIds: { [agent.id]: 'their-agent' }, sentScopes: ['chat.read'] }
  await atomically(t, (tx) =>
    insertIssuer(tx, { id: app.ctx.random.id(), name: 'Partner', issuer: there, ...sends, validFrom: at, createdAt: at, updatedAt: at }),
  )
  const policy = await newPolicy(app, company, [{ userId: person.id }], { allowed: ['chat.read'], audience: [there], seconds: 300 })
  const assert = () => exchange(app, agent, left, { requested_token_type: TOKEN_TYPES.idJag, audience: there })
  before(() => atomically(t, (tx) => tx.run({ text, params: [policy], arrays: true })))
  const refused = await assert()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await app.events(company.tenantId, { event: 'oauth.identity_asserted', outcome: 'success' })).toEqual([])
  const again = await assert()
  expect([again.status, (await again.json()).expires_in]).toEqual(text.includes('60') ? [200, 60] : [400, undefined])
})

test('exchanges and a change at once: nothing that was made under the old policy counts afterwards', async () => {
  let issued = 0
  for (let round = 0; round < 10; round++) {
    const { app, server, agent, subject, change } = await start()
    // One token exists before the change, so that every round proves something.
    const earlier = await exchange(app, agent, subject)
    expect(earlier.status).toBe(200)
    const exchanges = [Promise.resolve(earlier), ...Array.from({ length: 8 }, () => exchange(app, agent, subject))]
    const changed = round % 2 === 0 ? change('PUT', { allowed_permissions: [] }) : change('DELETE')
    const answers = await Promise.all(exchanges)
    expect((await changed).status).toBe(200)
    expect(answers.every(({ status }) => [200, 400, 503].includes(status))).toBe(true)
    for (const answer of answers.filter(({ status }) => status === 200)) {
      expect(await introspected(app, server, (await answer.json()).access_token)).toEqual({ active: false })
      issued += 1
    }
  }
  expect(issued).toBeGreaterThanOrEqual(10)
})
