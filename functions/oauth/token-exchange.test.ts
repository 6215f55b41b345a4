// Token exchange (RFC 8693): actors, and that an exchange never widens a token.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { authorizationServerError } from '#shared/platform/http/problem'
import { EXCHANGE, exchange, introspected, newAgent, newExchanger, newPolicy } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import {
  changeClient,
  claimsOf,
  codeFor,
  newOauthClient,
  newResource,
  oauthBrowser,
  postForm,
  prover,
  TOKEN_URL,
  VERIFIER,
} from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const SCOPES = [{ name: 'tools:read' }, { name: 'tools:write', permission: 'tools:write' }, { name: 'tools:admin', permission: 'tools:admin' }]

const start = async (options: Parameters<typeof startApp>[1] = {}) => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError, ...options })
  const company = await app.company()
  const server = await newResource(app, company, SCOPES)
  const client = await newExchanger(app, company, { at: [server] })
  const person = await app.person(company, ['tools:write'])
  const owner = await app.person(company)
  const agent = await newAgent(app, company, owner.id, { at: [server] })
  const policy = await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read', 'tools:write'] })
  const browser = await oauthBrowser(app, person)
  const tokens = async (by = client, scope = 'openid tools:read tools:write') =>
    (
      await postForm(
        app,
        '/oauth/token',
        { grant_type: 'authorization_code', code: await codeFor(browser, by, { scope }), code_verifier: VERIFIER },
        { authorization: by.authorization },
      )
    ).json()
  const errorOf = async (response: Response) => [response.status, (await response.json()).error]
  const rows = async () =>
    (
      (await forTenant(app.db, company.tenantId).run({
        text: 'select count(*)::int from authsec.oauth_delegations where tenant_id = $1',
        params: [company.tenantId],
        arrays: true,
      })) as number[][]
    )[0]?.[0]
  return {
    app,
    company,
    server,
    client,
    person,
    owner,
    agent,
    policy,
    browser,
    tokens,
    errorOf,
    rows,
    introspect: (token: string) => introspected(app, server, token),
  }
}

describe('Delegation (RFC 8693 section 1.1)', () => {
  test('Token and introspection have subject, actor, scopes and authorization; introspection also has the owner of the agent', async () => {
    const { app, company, server, client, person, owner, agent, tokens, introspect } = await start()
    const { access_token: subject } = await tokens()
    const response = await exchange(app, agent, subject)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const set = await response.json()
    expect(set).toEqual({
      access_token: expect.any(String),
      issued_token_type: TOKEN_TYPES.access,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'tools:read tools:write',
    })
    expect(claimsOf(set.access_token)).toMatchObject({
      sub: person.id,
      client_id: agent.id,
      aud: server.resource,
      act: { sub: agent.id, client_id: agent.id },
      authorization_id: claimsOf(subject).authorization_id,
      delegation_id: expect.any(String),
      exp: claimsOf(subject).exp,
    })
    expect(await introspect(set.access_token)).toMatchObject({
      active: true,
      sub: person.id,
      client_id: agent.id,
      act: { sub: agent.id, client_id: agent.id },
      agent_type: 'assistant',
      owner_id: owner.id,
      acting_user_id: person.id,
      scope: 'tools:read tools:write',
    })
    expect((await introspect(subject)).act).toBeUndefined()
    const [event] = await app.events(company.tenantId, { event: 'oauth.token_exchanged' })
    expect(event).toMatchObject({ actorType: 'agent', actorId: agent.id, onBehalfOf: person.id, targetType: 'delegation' })
    expect(client.id).not.toBe(agent.id)
  })

  test('A second agent that acts for the first becomes the outermost actor', async () => {
    const { app, company, server, owner, agent, tokens, introspect } = await start()
    const second = await newAgent(app, company, owner.id, { at: [server] })
    const first = await (await exchange(app, agent, (await tokens()).access_token)).json()
    const set = await (await exchange(app, second, first.access_token, { scope: 'tools:read' })).json()
    const act = { sub: second.id, client_id: second.id, act: { sub: agent.id, client_id: agent.id } }
    expect(claimsOf(set.access_token)).toMatchObject({ act, scope: 'tools:read' })
    expect(await introspect(set.access_token)).toMatchObject({ active: true, act })
    const wider = await exchange(app, second, set.access_token, { scope: 'tools:write' })
    expect([wider.status, (await wider.json()).error]).toEqual([400, 'invalid_scope'])
  })

  test('Tokens of an agent that a person authorized have an act claim, also after a refresh', async () => {
    const { app, agent, tokens, introspect } = await start()
    const set = await tokens(agent)
    expect(claimsOf(set.access_token)).toMatchObject({ act: { sub: agent.id } })
    const again = await (
      await postForm(app, '/oauth/token', { grant_type: 'refresh_token', refresh_token: set.refresh_token }, { authorization: agent.authorization })
    ).json()
    expect(claimsOf(again.access_token)).toMatchObject({ act: { sub: agent.id, client_id: agent.id } })
    expect(await introspect(again.access_token)).toMatchObject({ active: true, act: { sub: agent.id } })
  })

  test('The holder can narrow its own token without a new actor', async () => {
    const { app, client, agent, tokens } = await start()
    const { access_token: subject } = await tokens()
    const less = await (await exchange(app, client, subject, { scope: 'tools:read' })).json()
    expect(claimsOf(less.access_token)).toMatchObject({ client_id: client.id, scope: 'tools:read' })
    expect(claimsOf(less.access_token).act).toBeUndefined()
    const delegated = await (await exchange(app, agent, less.access_token)).json()
    expect(delegated.scope).toBe('tools:read')
    const own = await (await exchange(app, agent, delegated.access_token)).json()
    expect(claimsOf(own.access_token).act).toEqual({ sub: agent.id, client_id: agent.id })
  })

  test('An ID token represents its authorization, for the client in its audience', async () => {
    const { app, company, client, agent, server, tokens, errorOf } = await start()
    const { id_token: subject } = await tokens()
    const as = { subject_token_type: TOKEN_TYPES.id }
    const set = await (await exchange(app, client, subject, as)).json()
    expect(claimsOf(set.access_token)).toMatchObject({ aud: server.resource, scope: 'tools:read tools:write', client_id: client.id })
    for (const by of [agent, await newExchanger(app, company, { at: [server] })])
      expect(await errorOf(await exchange(app, by, subject, as))).toEqual([400, 'invalid_request'])
    expect(await errorOf(await exchange(app, client, subject))).toEqual([400, 'invalid_request'])
    app.clock.advance(300)
    expect(await errorOf(await exchange(app, client, subject, as))).toEqual([400, 'invalid_request'])
  })

  test('A service account can be the subject; its policies bound the agent', async () => {
    const { app, company, server, owner } = await start()
    const service = await newExchanger(app, company, { at: [server], permissions: ['tools:write'] })
    const agent = await newAgent(app, company, owner.id, { at: [server], type: 'worker' })
    const { access_token: subject } = await (
      await postForm(app, '/oauth/token', { grant_type: 'client_credentials' }, { authorization: service.authorization })
    ).json()
    const refused = await exchange(app, agent, subject)
    expect([refused.status, (await refused.json()).error]).toEqual([400, 'invalid_request'])
    const account = (await introspected(app, server, subject)).service_account_id
    await newPolicy(app, company, [{ serviceAccountId: account }], { allowed: ['tools:read'], type: 'worker', seconds: 60 })
    const set = await (await exchange(app, agent, subject)).json()
    expect(set).toMatchObject({ scope: 'tools:read', expires_in: 60 })
    expect(claimsOf(set.access_token)).toMatchObject({ sub: service.id, act: { sub: agent.id } })
    expect(await introspected(app, server, set.access_token)).toMatchObject({ active: true, subject_type: 'service_account' })
  })
})

describe('Limits of an exchange', () => {
  test('Policies limit permissions, lifetime, audience, agent and agent type; without a policy the exchange is refused', async () => {
    const { app, company, server, owner, person, tokens, errorOf, rows } = await start()
    const { access_token: subject } = await tokens()
    const of = (type: string) => newAgent(app, company, owner.id, { at: [server], type })
    const [none, narrow, elsewhere, other] = [await of('none'), await of('narrow'), await of('elsewhere'), await of('only')]
    const only = await of('only')
    const holder = [{ userId: person.id }]
    await newPolicy(app, company, holder, { allowed: ['tools:read'], type: 'narrow', seconds: 60 })
    await newPolicy(app, company, holder, { allowed: ['tools:read'], type: 'elsewhere', audience: ['https://other.example.com'] })
    await newPolicy(app, company, holder, { allowed: ['tools:read'], type: 'only', clientId: only.id })
    const before = await rows()
    for (const agent of [none, elsewhere, other]) expect(await errorOf(await exchange(app, agent, subject))).toEqual([400, 'invalid_request'])
    expect(await errorOf(await exchange(app, narrow, subject, { scope: 'tools:write' }))).toEqual([400, 'invalid_scope'])
    expect(await rows()).toBe(before)
    expect(await (await exchange(app, narrow, subject)).json()).toMatchObject({ scope: 'tools:read', expires_in: 60 })
    expect(await (await exchange(app, only, subject)).json()).toMatchObject({ scope: 'tools:read' })
  })

  test('An empty list of permissions allows none', async () => {
    const { app, company, server, owner, person, tokens, errorOf } = await start()
    const agent = await newAgent(app, company, owner.id, { at: [server], type: 'empty' })
    await newPolicy(app, company, [{ userId: person.id }], { allowed: [], type: 'empty' })
    expect(await errorOf(await exchange(app, agent, (await tokens()).access_token))).toEqual([400, 'invalid_scope'])
  })

  test('Scopes, audience and lifetime stay within those of the subject token', async () => {
    const { app, company, server, agent, tokens, errorOf } = await start()
    const { access_token: subject } = await tokens(undefined, 'openid email tools:read')
    for (const scope of ['tools:write', 'tools:admin', 'openid', 'email', 'offline_access', 'nothing'])
      expect(await errorOf(await exchange(app, agent, subject, { scope })), scope).toEqual([400, 'invalid_scope'])
    const other = await newResource(app, company, SCOPES)
    for (const more of [{ resource: other.resource }, { audience: other.resource }, { resource: server.resource, audience: other.resource }])
      expect(await errorOf(await exchange(app, agent, subject, more))).toEqual([400, 'invalid_target'])
    app.clock.advance(200)
    const set = await (await exchange(app, agent, subject, { resource: server.resource })).json()
    expect(set).toMatchObject({ scope: 'tools:read', expires_in: 100 })
    app.clock.advance(100)
    expect(await errorOf(await exchange(app, agent, subject))).toEqual([400, 'invalid_request'])
  })

  test('A token never outlives its subject token, even with a moving clock', async () => {
    const { app, agent, client, tokens } = await start()
    const { access_token: subject } = await tokens()
    const end = claimsOf(subject).exp as number
    const now = app.clock.now
    // Each reading advances the clock by a third of a second.
    Object.assign(app.clock, {
      now: () => {
        app.clock.advance(1 / 3)
        return now()
      },
    })
    for (let n = 0; n < 6; n++) {
      for (const by of [agent, client]) {
        const set = await (await exchange(app, by, subject)).json()
        const { iat, exp } = claimsOf(set.access_token) as { iat: number; exp: number }
        expect([exp, set.expires_in]).toEqual([end, end - iat])
      }
    }
  })

  test('The depth of a chain is limited to five or to the tenant\u2019s setting', async () => {
    const { app, company, server, owner, agent, tokens } = await start()
    const step = async (subject: string) => {
      const by = await newAgent(app, company, owner.id, { at: [server] })
      return exchange(app, by, subject)
    }
    let token = (await (await exchange(app, agent, (await tokens()).access_token)).json()).access_token
    for (let depth = 2; depth <= 5; depth++) {
      const extended = await step(token)
      expect(extended.status).toBe(200)
      token = (await extended.json()).access_token
    }
    expect((await step(token)).status).toBe(400)
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      t.run({
        text: `update authsec.tenants set settings = settings || '{"delegationDepth":1}' where tenant_id = $1`,
        params: [t.tenantId],
        arrays: true,
      }),
    )
    const first = await (await exchange(app, agent, (await tokens()).access_token)).json()
    expect((await step(first.access_token)).status).toBe(400)
  })

  test('Only the actor that the holder names may act next (may_act)', async () => {
    const { app, company, server, owner, client, agent, tokens, errorOf } = await start()
    const other = await newAgent(app, company, owner.id, { at: [server] })
    const named = await (await exchange(app, client, (await tokens()).access_token, { requested_actor: agent.id })).json()
    expect(claimsOf(named.access_token)).toMatchObject({ may_act: { sub: agent.id } })
    expect(await introspected(app, server, named.access_token)).toMatchObject({ may_act: { sub: agent.id } })
    expect(await errorOf(await exchange(app, other, named.access_token))).toEqual([400, 'invalid_request'])
    expect(await errorOf(await exchange(app, client, named.access_token, { requested_actor: other.id }))).toEqual([400, 'invalid_request'])
    const less = await (await exchange(app, client, named.access_token, { scope: 'tools:read' })).json()
    expect(claimsOf(less.access_token)).toMatchObject({ may_act: { sub: agent.id } })
    expect((await exchange(app, agent, less.access_token)).status).toBe(200)
  })

  test('Impersonation needs a policy that allows it, and revoking the hidden actor still revokes the token', async () => {
    const { app, company, server, owner, person, agent, tokens, errorOf, introspect } = await start()
    const { access_token: subject } = await tokens()
    expect(await errorOf(await exchange(app, agent, subject, { impersonation: 'true' }))).toEqual([400, 'invalid_request'])
    const impersonator = await newAgent(app, company, owner.id, { at: [server], type: 'impersonator' })
    await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read'], type: 'impersonator', impersonation: true })
    const set = await (await exchange(app, impersonator, subject, { impersonation: 'true' })).json()
    expect(claimsOf(set.access_token).act).toBeUndefined()
    const delegated = await (await exchange(app, agent, set.access_token)).json()
    expect(claimsOf(delegated.access_token).act).toEqual({ sub: agent.id, client_id: agent.id })
    await changeClient(app, company, impersonator.id, { active: false })
    expect(await introspect(delegated.access_token)).toEqual({ active: false })
  })
})

describe('Error response (RFC 8693 section 2.2.2)', () => {
  test.each([
    ['no subject token', { subject_token: '' }, 'invalid_request'],
    ['no subject token type', { subject_token_type: '' }, 'invalid_request'],
    ['an unsupported type', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request'],
    ['a refresh token as subject', { subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
    ['an actor token without a type', { actor_token: 'x' }, 'invalid_request'],
    ['a type without an actor token', { actor_token_type: TOKEN_TYPES.access }, 'invalid_request'],
    ['an invalid actor token', { actor_token: 'a.b.c', actor_token_type: TOKEN_TYPES.access }, 'invalid_request'],
    ['an unsupported requested type', { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
    ['an invalid impersonation', { impersonation: 'yes' }, 'invalid_request'],
    ['an invalid requested_actor', { requested_actor: 'robo' }, 'invalid_request'],
    ['a malformed scope', { scope: 'a  b' }, 'invalid_scope'],
    ['details that are not JSON', { authorization_details: '{' }, 'invalid_authorization_details'],
    ['a malformed subject token', { subject_token: 'a.b.c' }, 'invalid_request'],
  ])('%s is refused', async (_, form, error) => {
    const { app, agent, tokens, errorOf, rows } = await start()
    expect(await errorOf(await exchange(app, agent, (await tokens()).access_token, form))).toEqual([400, error])
    expect(await rows()).toBe(0)
  })

  test('A client that is unauthenticated, public, without the grant type or not an agent gets no token', async () => {
    const { app, company, server, agent, tokens, errorOf, rows } = await start()
    const { access_token: subject } = await tokens()
    const unauthenticated = await postForm(app, '/oauth/token', { ...EXCHANGE, subject_token: subject, client_id: agent.id })
    expect(await errorOf(unauthenticated)).toEqual([401, 'invalid_client'])
    const publicClient = await newExchanger(app, company, { at: [server], isPublic: true })
    expect(await errorOf(await postForm(app, '/oauth/token', { ...EXCHANGE, subject_token: subject, client_id: publicClient.id }))).toEqual([
      400,
      'unauthorized_client',
    ])
    const unregistered = await newOauthClient(app, company, { at: [server] })
    expect(await errorOf(await exchange(app, unregistered, subject))).toEqual([400, 'unauthorized_client'])
    expect(await errorOf(await exchange(app, await newExchanger(app, company, { at: [server] }), subject))).toEqual([400, 'invalid_request'])
    expect(await errorOf(await exchange(app, await newExchanger(app, company), subject))).toEqual([400, 'invalid_target'])
    expect(await rows()).toBe(0)
  })

  test('A token of another company, a session token or a token with a forged actor is refused', async () => {
    const { app, agent, person, tokens, errorOf } = await start()
    const ofOtherCompany = await start()
    for (const subject of [(await ofOtherCompany.tokens()).access_token, await app.token(person)])
      expect(await errorOf(await exchange(app, agent, subject))).toEqual([400, 'invalid_request'])
    const { access_token: subject } = await tokens()
    const [head, body, signature] = subject.split('.')
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(subject), act: { sub: agent.id } })).toString('base64url')
    expect(body).not.toBe(forged)
    expect(await errorOf(await exchange(app, agent, `${head}.${forged}.${signature}`))).toEqual([400, 'invalid_request'])
  })

  test('An actor token must be an active token of the actor itself, without delegation', async () => {
    const { app, company, server, owner, agent, tokens, errorOf } = await start()
    const own = async (by: typeof agent) =>
      (await (await postForm(app, '/oauth/token', { grant_type: 'client_credentials' }, { authorization: by.authorization })).json()).access_token
    const { access_token: subject } = await tokens()
    const actor = (token: string) => ({ actor_token: token, actor_token_type: TOKEN_TYPES.access })
    expect((await exchange(app, agent, subject, actor(await own(agent)))).status).toBe(200)
    const other = await newAgent(app, company, owner.id, { at: [server] })
    const delegated = (await (await exchange(app, agent, subject)).json()).access_token
    for (const token of [await own(other), delegated, subject])
      expect(await errorOf(await exchange(app, agent, subject, actor(token)))).toEqual([400, 'invalid_request'])
    const revokedToken = await own(agent)
    await postForm(app, '/oauth/revoke', { token: revokedToken }, { authorization: agent.authorization })
    expect(await errorOf(await exchange(app, agent, subject, actor(revokedToken)))).toEqual([400, 'invalid_request'])
  })

  test('A bound token stays bound to the same key, unless the holder named the next actor', async () => {
    const { app, company, server, client, agent, browser, errorOf } = await start()
    const [holder, other] = [await prover(app), await prover(app)]
    const proof = async (by: typeof holder) => ({ dpop: await by.proof({ htm: 'POST', htu: TOKEN_URL }) })
    const code = await codeFor(browser, client, { scope: 'tools:read' })
    const subject = (
      await (
        await postForm(
          app,
          '/oauth/token',
          { grant_type: 'authorization_code', code, code_verifier: VERIFIER },
          { authorization: client.authorization, ...(await proof(holder)) },
        )
      ).json()
    ).access_token
    expect(await errorOf(await exchange(app, agent, subject))).toEqual([400, 'invalid_dpop_proof'])
    expect(await errorOf(await exchange(app, client, subject))).toEqual([400, 'invalid_dpop_proof'])
    expect(await errorOf(await exchange(app, agent, subject, {}, await proof(other)))).toEqual([400, 'invalid_request'])
    const named = (await (await exchange(app, client, subject, { requested_actor: agent.id }, await proof(holder))).json()).access_token
    const set = await (await exchange(app, agent, named, {}, await proof(other))).json()
    expect(set.token_type).toBe('DPoP')
    expect(claimsOf(set.access_token).cnf).not.toEqual(claimsOf(subject).cnf)
    expect(await introspected(app, server, set.access_token)).toMatchObject({ active: true, token_type: 'DPoP', cnf: claimsOf(set.access_token).cnf })
    expect(company.tenantId).toBe(claimsOf(subject).tenant_id)
  })

  test('Fifty parallel exchanges create fifty delegations, and revoking the subject token revokes all', async () => {
    const { app, agent, client, tokens, rows, introspect } = await start()
    const { access_token: subject } = await tokens()
    const sets = await Promise.all(Array.from({ length: 50 }, async () => (await exchange(app, agent, subject)).json()))
    expect(await rows()).toBe(50)
    expect(new Set(sets.map(({ access_token }) => claimsOf(access_token).delegation_id)).size).toBe(50)
    for (const by of [(await start()).client, agent, client]) {
      for (const { access_token } of sets.slice(0, 3)) expect((await introspect(access_token)).active).toBe(true)
      await postForm(app, '/oauth/revoke', { token: subject }, { authorization: by.authorization })
    }
    for (const { access_token } of sets) expect(await introspect(access_token)).toEqual({ active: false })
  })
})

test('An exchange costs five statements', async () => {
  const counted = countedDb((await testDb()).engine)
  const { app, agent, tokens } = await start({ db: counted.db })
  const { access_token: subject } = await tokens()
  await exchange(app, agent, subject)
  const costs = await counted.during(() => exchange(app, agent, subject))
  expect(costs).toEqual({ statements: 5, roundTrips: 6 })
})
