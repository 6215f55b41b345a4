// The feed by which verifiers without introspection learn what not to trust: signed, for one resource server, in digests, complete.
import { createLocalJWKSet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { registerClient } from '#db/store/resource-servers'
import { revokeSession } from '#db/store/sessions'
import { DISTRUSTING, digestsOf, isDistrusted } from '#shared/domains/oauth/distrust'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { AUDIT_EVENTS } from '#shared/platform/audit/events'
import { authorizationServerError, problem } from '#shared/platform/http/problem'
import { exchange, introspected, newAgent, newExchanger, newPolicy } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { basicOf, claimsOf, codeFor, newResource, newSelfRegistered, oauthBrowser, postForm, VERIFIER } from '#tests/support/oauth'
import { enrol } from '#tests/support/sign-in'
import { agentRoutes } from '../agents/routes.ts'
import { factorRoutes } from '../factors/routes.ts'
import { FEED_TYP } from './revocations.ts'
import { oauthRoutes } from './routes.ts'

const ISSUER = 'http://localhost:7468'

const start = async () => {
  const counted = countedDb((await testDb()).engine)
  const app = await startApp(oauthRoutes, { render: authorizationServerError, db: counted.db })
  const admin = await startApp(agentRoutes, { render: problem })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }])
  const client = await newExchanger(app, company, { at: [server] })
  const person = await app.person(company)
  const owner = await app.person(company)
  const agent = await newAgent(app, company, owner.id, { at: [server] })
  await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read'] })
  const code = await codeFor(await oauthBrowser(app, person), client, { scope: 'tools:read' })
  const headers = { authorization: client.authorization }
  const set = await (await postForm(app, '/oauth/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER }, headers)).json()
  const root: string = set.access_token
  const acted: string = (await (await exchange(app, agent, root)).json()).access_token
  const ask = (query = '', more: Readonly<Record<string, string>> = {}, authorization = server.authorization) =>
    app.request(`/oauth/revocations${query}`, { headers: { authorization, ...more } })
  const feed = async (query = '') => {
    const text = await (await ask(query)).text()
    const jwks = createLocalJWKSet((await app.ctx.signingKeys.jwks()) as never)
    const { payload } = await jwtVerify(text, jwks, { issuer: ISSUER, audience: server.resource, typ: FEED_TYP, currentDate: app.clock.now() })
    return { cursor: String(payload.cursor), revoked: new Map(payload.revoked as [string, number][]), payload }
  }
  const meant = async (token: string, query = '') => isDistrusted((await feed(query)).revoked, claimsOf(token))
  const happens = (event: (typeof AUDIT_EVENTS)[number], target?: { readonly type: string; readonly id: string }, actorId?: string) =>
    atomically(forTenant(app.db, company.tenantId), (t) =>
      recordEvent(
        t,
        { clock: app.clock, random: app.ctx.random, keyring: app.ctx.keyring },
        {
          event,
          actor: actorId === undefined ? bySystem : { type: 'user', id: actorId },
          ...(target === undefined ? {} : { target }),
        },
      ),
    )
  return {
    app,
    admin,
    company,
    server,
    client,
    person,
    owner,
    agent,
    root,
    acted,
    refresh: set.refresh_token as string,
    ask,
    feed,
    meant,
    happens,
    counted,
  }
}

test('while nothing ends there is nothing in it, and asked with its tag it has no body', async () => {
  const { ask, feed, root, meant } = await start()
  const { payload } = await feed()
  expect(payload).toMatchObject({ revoked: [], exp: Number(payload.iat) + 10 })
  expect(await meant(root)).toBe(false)
  const first = await ask()
  expect(first.headers.get('content-type')).toBe('application/jwt')
  const again = await ask('', { 'if-none-match': first.headers.get('etag') ?? '' })
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('a revoked token is told, and what came of it; who asks again from there hears no more of it after a while', async () => {
  const { app, root, acted, client, ask, feed, meant } = await start()
  const tag = (await ask()).headers.get('etag') ?? ''
  await postForm(app, '/oauth/revoke', { token: root }, { authorization: client.authorization })
  expect((await ask('', { 'if-none-match': tag })).status).toBe(200)
  for (const token of [root, acted]) expect(await meant(token)).toBe(true)
  const { cursor } = await feed()
  expect(await meant(root, `?after=${cursor}`)).toBe(true)
  app.clock.advance(40)
  const later = await feed()
  expect(await meant(root, `?after=${later.cursor}`)).toBe(false)
  expect(await meant(root)).toBe(true)
})

test('with a refresh token goes the authorization, with a session what is not offline', async () => {
  const one = await start()
  await postForm(one.app, '/oauth/revoke', { token: one.refresh }, { authorization: one.client.authorization })
  for (const token of [one.root, one.acted]) expect(await one.meant(token)).toBe(true)
  const two = await start()
  const session = String(claimsOf(two.root).sid)
  await atomically(forTenant(two.app.db, two.company.tenantId), (t) => revokeSession(t, two.person.id, session, two.app.clock.now(), 'signed_out'))
  await two.happens('user.signed_out', { type: 'session', id: session }, two.person.id)
  for (const token of [two.root, two.acted]) expect(await two.meant(token)).toBe(true)
})

test('an agent that is stopped by its own route, and one whose owner is', async () => {
  const one = await start()
  const token = await one.app.token(one.owner)
  expect((await one.admin.request(`/agents/${one.agent.id}/suspend`, { method: 'POST', body: {}, token })).status).toBe(200)
  expect([await one.meant(one.acted), await one.meant(one.root)]).toEqual([true, false])
  const two = await start()
  await two.happens('user.deactivated', { type: 'user', id: two.owner.id })
  expect([await two.meant(two.acted), await two.meant(two.root)]).toEqual([true, false])
})

test('a client that is stopped takes along what was exchanged below it, though the token names it nowhere', async () => {
  const { client, acted, root, meant, happens } = await start()
  expect(JSON.stringify(claimsOf(acted))).not.toContain(client.id)
  await happens('client.deactivated', { type: 'client', id: client.id })
  expect([await meant(acted), await meant(root)]).toEqual([true, true])
})

test.each(Object.entries(DISTRUSTING))('%s reaches the tokens that it is about', async (event, about) => {
  const { app, person, root, acted, meant, happens } = await start()
  expect(AUDIT_EVENTS).toContain(event)
  const target =
    about === 'target'
      ? event.startsWith('token')
        ? { type: 'token', id: String(claimsOf(root).jti) }
        : event.startsWith('oauth')
          ? { type: 'authorization', id: String(claimsOf(root).authorization_id) }
          : /^(client|agent)\./.test(event)
            ? { type: 'client', id: String(claimsOf(root).client_id) }
            : event === 'session.revoked' || event === 'user.signed_out'
              ? { type: 'session', id: String(claimsOf(root).sid) }
              : { type: 'user', id: person.id }
      : { type: 'thing', id: app.ctx.random.id() }
  await happens(event as keyof typeof DISTRUSTING, target, person.id)
  for (const token of [root, acted]) expect(await meant(token), event).toBe(true)
})

test('a second factor that goes takes the other sessions along, and a client that removes itself what it holds', async () => {
  const one = await start()
  const factors = await startApp(factorRoutes)
  await enrol(factors, one.person, 'webauthn')
  await enrol(factors, one.person, 'totp')
  const token = await factors.token(one.person, ['pwd', 'otp'])
  const factor = (await findFactors(forTenant(factors.db, one.company.tenantId), one.person.id)).find(({ kind }) => kind === 'totp')
  expect((await factors.request(`/account/factors/${factor?.id}`, { method: 'DELETE', token })).status).toBe(200)
  for (const held of [one.root, one.acted]) expect(await one.meant(held)).toBe(true)
  const two = await start()
  const own = await newSelfRegistered(two.app, two.company, { grantTypes: ['authorization_code'] })
  await atomically(forTenant(two.app.db, two.company.tenantId), (t) => registerClient(t, two.server.id, own.id, two.app.clock.now()))
  const code = await codeFor(await oauthBrowser(two.app, two.person), { ...own, secret: '', authorization: '' }, { scope: 'tools:read' })
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, client_id: own.id }
  const { access_token: held } = await (await postForm(two.app, '/oauth/token', form)).json()
  expect(await two.meant(held)).toBe(false)
  expect((await two.app.request(`/oauth/register/${own.id}`, { method: 'DELETE', token: own.token })).status).toBe(204)
  expect(await two.meant(held)).toBe(true)
  // Nobody acted on it for others, so nobody else is asked about.
  expect(await two.meant(two.root)).toBe(false)
})

test('a client that removes itself takes along what an agent got for its token, though that names it nowhere', async () => {
  const { app, company, server, person, agent, meant } = await start()
  const own = await newSelfRegistered(app, company, { grantTypes: ['authorization_code'] })
  await atomically(forTenant(app.db, company.tenantId), (t) => registerClient(t, server.id, own.id, app.clock.now()))
  const code = await codeFor(await oauthBrowser(app, person), { ...own, secret: '', authorization: '' }, { scope: 'tools:read' })
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, client_id: own.id }
  const { access_token: held } = await (await postForm(app, '/oauth/token', form)).json()
  const below: string = (await (await exchange(app, agent, held)).json()).access_token
  expect(JSON.stringify(claimsOf(below))).not.toContain(own.id)
  expect(await meant(below)).toBe(false)
  expect((await app.request(`/oauth/register/${own.id}`, { method: 'DELETE', token: own.token })).status).toBe(204)
  expect(await meant(below)).toBe(true)
  expect((await introspected(app, server, below)).active).toBe(false)
})

test('tokens from afterwards are not meant', async () => {
  const { app, person, root, happens, feed } = await start()
  await happens('user.password_changed', { type: 'user', id: person.id })
  const { revoked } = await feed()
  const { iat, ...claims } = claimsOf(root)
  expect(isDistrusted(revoked, { ...claims, iat })).toBe(true)
  expect(isDistrusted(revoked, { ...claims, iat: Math.floor(app.clock.now().getTime() / 1000) + 1 })).toBe(false)
  expect(isDistrusted(revoked, claims)).toBe(true)
})

test('nobody else reads it, it names nobody, and another company\u2019s is another', async () => {
  const { app, company, person, client, root, ask, happens, server } = await start()
  await happens('user.deactivated', { type: 'user', id: person.id })
  const text = await (await ask()).text()
  for (const id of [person.id, client.id, company.tenantId, person.email])
    expect(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()).not.toContain(id)
  for (const authorization of [client.authorization, basicOf(server.id, 'x'), `Bearer ${root}`, ''])
    expect((await ask('', {}, authorization)).status).toBe(401)
  const theirs = await newResource(app, await app.company('globex'), [])
  const other = await (await ask('', {}, theirs.authorization)).text()
  expect(claimsOf(other)).toMatchObject({ aud: theirs.resource, revoked: [] })
  const refused = await ask('?after=x')
  expect([refused.status, (await refused.json()).error]).toEqual([400, 'invalid_request'])
  expect((await ask('?since=1')).status).toBe(400)
})

test('two statements while nothing ends, three when something did', async () => {
  const { ask, happens, person, counted } = await start()
  await ask()
  expect(await counted.during(() => ask())).toEqual({ statements: 2, roundTrips: 2 })
  await happens('user.deactivated', { type: 'user', id: person.id })
  expect(await counted.during(() => ask())).toEqual({ statements: 3, roundTrips: 3 })
})

test('what a token hangs below and tells', () => {
  const act = { sub: 'b', act: { sub: 'a' } }
  expect(new Set(digestsOf({ tenant_id: 't', sub: 's', client_id: 'b', act, authorization_id: 'z', delegation_id: 'd', jti: 'j' })).size).toBe(8)
  expect(digestsOf({ sub: 1, act: 'x', client_id: null })).toEqual([])
})
