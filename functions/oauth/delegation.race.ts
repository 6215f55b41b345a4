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
  const suspend = () => app.request(`/agents/${agent.id}/suspend`, { method: 'POST', token: admin })
  const rows = async () =>
    (
      await forTenant(app.db, company.tenantId).run({
        text: 'select id from authsec.oauth_delegations where tenant_id = $1 and revoked_at is null',
        params: [company.tenantId],
        arrays: true,
      })
    ).length
  return { app, company, server, agent, person, policy, subject, change, suspend, rows }
}

/** As another process reads it: what this one remembers of a client is a second old at most. */
const SUSPENSIONS = [
  ['suspended', `update authsec.clients set active = false where id = $1`],
  ['deleted', `update authsec.clients set deleted_at = now() where id = $1`],
] as const

test.each(SUSPENSIONS)('an agent that is %s after it was read gets no token, and nothing is written', async (_, text) => {
  const { db, before } = await interruptedDb()
  const { app, company, agent, subject, rows } = await start(db)
  before(() => atomically(forTenant(db, company.tenantId), (t) => t.run({ text, params: [agent.id], arrays: true })))
  const refused = await exchange(app, agent, subject)
  expect([refused.status, refused.headers.get('retry-after'), await rows()]).toEqual([503, '1', 0])
  expect(await app.events(company.tenantId, { event: 'oauth.token_exchanged', outcome: 'success' })).toEqual([])
})

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

type World = Awaited<ReturnType<typeof start>>
const WORKERS = 6

/**
 * Exchanges without a pause, here and in another process that is not told of the change, from before the change until after its commit. Returns the tokens
 * by when the request for them began.
 */
const raceAgainst = async ({ app, agent, subject }: World, other: World['app'], change: () => Promise<Response>) => {
  const tokens: Record<'before' | 'during' | 'after', string[]> = { before: [], during: [], after: [] }
  const tries = { before: 0, during: 0, after: 0 }
  let phase: keyof typeof tokens | 'over' = 'before'
  const until = async (isDone: () => boolean): Promise<void> => {
    while (!isDone() && phase !== 'over') await new Promise((resolve) => setImmediate(resolve))
  }
  const work = async (where: World['app']): Promise<void> => {
    while (phase !== 'over') {
      // A refusal that needs no query would leave no turn to anything else.
      await new Promise((resolve) => setImmediate(resolve))
      const began = phase
      const answer = await exchange(where, agent, subject)
      tries[began] += 1
      const body = await answer.json()
      if (answer.status === 200) tokens[began].push(body.access_token)
      else
        expect([
          [400, 'invalid_request'],
          [400, 'invalid_scope'],
          [401, 'invalid_client'],
          [503, 'temporarily_unavailable'],
        ]).toContainEqual([answer.status, body.error])
    }
  }
  const workers = Promise.all(Array.from({ length: WORKERS }, (_, n) => work(n % 2 === 0 ? app : other)))
  try {
    await Promise.race([workers, until(() => tokens.before.length >= WORKERS)])
    phase = 'during'
    expect((await change()).status).toBe(200)
    phase = 'after'
    await Promise.race([workers, until(() => tries.after >= 3 * WORKERS)])
  } finally {
    phase = 'over'
  }
  await workers
  return { tokens, tries }
}

const STOPS: readonly (readonly [string, (world: World) => () => Promise<Response>])[] = [
  [
    'the policy is switched off',
    ({ change }) =>
      () =>
        change('PUT', { enabled: false }),
  ],
  [
    'the policy allows nothing any more',
    ({ change }) =>
      () =>
        change('PUT', { allowed_permissions: [] }),
  ],
  [
    'the policy is removed',
    ({ change }) =>
      () =>
        change('DELETE'),
  ],
  ['the agent is suspended', ({ suspend }) => suspend],
]

test.each(STOPS)('%s while tokens are exchanged: tokens before, none after the commit in any process, and none of them counts', async (_, stop) => {
  let overlapping = 0
  for (let round = 0; round < 2; round++) {
    const world = await start()
    const other = await startApp(oauthRoutes, { render: authorizationServerError })
    const { tokens, tries } = await raceAgainst(world, other, stop(world))
    // Every round proves something: tokens were issued until the change, and asked for in vain after it.
    expect(tokens.before.length).toBeGreaterThanOrEqual(WORKERS)
    expect(tries.after).toBeGreaterThanOrEqual(3 * WORKERS)
    expect(tokens.after).toEqual([])
    overlapping += tries.during
    for (const token of [...tokens.before, ...tokens.during]) {
      expect(await introspected(world.app, world.server, token)).toEqual({ active: false })
    }
  }
  expect(overlapping).toBeGreaterThan(0)
})
