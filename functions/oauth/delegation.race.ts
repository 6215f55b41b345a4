// A policy changes during an exchange: either the exchange uses the new policy, or the change revokes the token.
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

/** Changes by another process, which this process's cache of clients does not notice for up to a second. */
const SUSPENSIONS = [
  ['suspended', `update authsec.clients set active = false where id = $1`],
  ['deleted', `update authsec.clients set deleted_at = now() where id = $1`],
] as const

test.each(SUSPENSIONS)('An agent that is %s after it was read gets no token, and nothing is written', async (_, text) => {
  const { db, before } = await interruptedDb()
  const { app, company, agent, subject, rows } = await start(db)
  before(() => atomically(forTenant(db, company.tenantId), (t) => t.run({ text, params: [agent.id], arrays: true })))
  const refused = await exchange(app, agent, subject)
  expect([refused.status, refused.headers.get('retry-after'), await rows()]).toEqual([503, '1', 0])
  expect(await app.events(company.tenantId, { event: 'oauth.token_exchanged', outcome: 'success' })).toEqual([])
})

const CHANGES = [
  ['narrowed', 'update authsec.delegation_policies set max_ttl_seconds = 60 where id = $1'],
  ['disabled', 'update authsec.delegation_policies set enabled = false where id = $1'],
  ['assigned to another agent type', `update authsec.delegation_policies set agent_type = 'other' where id = $1`],
  ['removed', 'delete from authsec.delegation_policies where id = $1'],
] as const

test.each(CHANGES)('If a policy is %s after it was read, no token is issued, and a retry uses the new policy', async (_, text) => {
  const { db, before } = await interruptedDb()
  const { app, company, agent, policy, subject, rows } = await start(db)
  before(() => atomically(forTenant(db, company.tenantId), (t) => t.run({ text, params: [policy], arrays: true })))
  const refused = await exchange(app, agent, subject)
  expect([refused.status, refused.headers.get('retry-after'), await rows()]).toEqual([503, '1', 0])
  const again = await exchange(app, agent, subject)
  expect([again.status, (await again.json()).expires_in]).toEqual(text.includes('60') ? [200, 60] : [400, undefined])
})

test.each(CHANGES)('If a policy is %s after it was read, no identity assertion is issued', async (_, text) => {
  const { db, before } = await interruptedDb()
  const { app, company, agent, person, subject } = await start(db)
  const { access_token: delegated } = await (await exchange(app, agent, subject)).json()
  const [partner, at, t] = ['https://as.partner.example.com', app.clock.now(), forTenant(db, company.tenantId)]
  const sends = { sends: true, clientIds: { [agent.id]: 'their-agent' }, sentScopes: ['chat.read'] }
  await atomically(t, (tx) =>
    insertIssuer(tx, { id: app.ctx.random.id(), name: 'Partner', issuer: partner, ...sends, validFrom: at, createdAt: at, updatedAt: at }),
  )
  const policy = await newPolicy(app, company, [{ userId: person.id }], { allowed: ['chat.read'], audience: [partner], seconds: 300 })
  const assert = () => exchange(app, agent, delegated, { requested_token_type: TOKEN_TYPES.idJag, audience: partner })
  before(() => atomically(t, (tx) => tx.run({ text, params: [policy], arrays: true })))
  const refused = await assert()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await app.events(company.tenantId, { event: 'oauth.identity_asserted', outcome: 'success' })).toEqual([])
  const again = await assert()
  expect([again.status, (await again.json()).expires_in]).toEqual(text.includes('60') ? [200, 60] : [400, undefined])
})

type Setup = Awaited<ReturnType<typeof start>>
const WORKERS = 6

/**
 * Exchanges continuously, here and in another process that is not notified of the change, from before the change until after its commit. Returns the tokens
 * by the phase in which their request began.
 */
const raceAgainst = async ({ app, agent, subject }: Setup, other: Setup['app'], change: () => Promise<Response>) => {
  const tokens: Record<'before' | 'during' | 'after', string[]> = { before: [], during: [], after: [] }
  const attempts = { before: 0, during: 0, after: 0 }
  let phase: keyof typeof tokens | 'over' = 'before'
  const until = async (isDone: () => boolean): Promise<void> => {
    while (!isDone() && phase !== 'over') await new Promise((resolve) => setImmediate(resolve))
  }
  const work = async (where: Setup['app']): Promise<void> => {
    while (phase !== 'over') {
      // Yields, because a refusal without a query would block the event loop.
      await new Promise((resolve) => setImmediate(resolve))
      const began = phase
      const answer = await exchange(where, agent, subject)
      attempts[began] += 1
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
    await Promise.race([workers, until(() => attempts.after >= 3 * WORKERS)])
  } finally {
    phase = 'over'
  }
  await workers
  return { tokens, attempts }
}

const CHANGES_OF_RIGHTS: readonly (readonly [string, (setup: Setup) => () => Promise<Response>])[] = [
  [
    'the policy is disabled',
    ({ change }) =>
      () =>
        change('PUT', { enabled: false }),
  ],
  [
    'the policy allows nothing',
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

test.each(CHANGES_OF_RIGHTS)(
  'When %s during exchanges, no process issues a token after the commit, and the earlier tokens are inactive',
  async (_, changeRights) => {
    let overlapping = 0
    for (let round = 0; round < 2; round++) {
      const setup = await start()
      const other = await startApp(oauthRoutes, { render: authorizationServerError })
      const { tokens, attempts } = await raceAgainst(setup, other, changeRights(setup))
      // Every round must issue tokens before the change and refuse requests after it.
      expect(tokens.before.length).toBeGreaterThanOrEqual(WORKERS)
      expect(attempts.after).toBeGreaterThanOrEqual(3 * WORKERS)
      expect(tokens.after).toEqual([])
      overlapping += attempts.during
      for (const token of [...tokens.before, ...tokens.during]) {
        expect(await introspected(setup.app, setup.server, token)).toEqual({ active: false })
      }
    }
    expect(overlapping).toBeGreaterThan(0)
  },
)
