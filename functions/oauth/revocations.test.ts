// The revocation feed for resource servers that verify tokens without introspection: signed, for one resource server, with digests only, complete.
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
  const delegated: string = (await (await exchange(app, agent, root)).json()).access_token
  const getFeed = (query = '', more: Readonly<Record<string, string>> = {}, authorization = server.authorization) =>
    app.request(`/oauth/revocations${query}`, { headers: { authorization, ...more } })
  const feed = async (query = '') => {
    const text = await (await getFeed(query)).text()
    const jwks = createLocalJWKSet((await app.ctx.signingKeys.jwks()) as never)
    const { payload } = await jwtVerify(text, jwks, { issuer: ISSUER, audience: server.resource, typ: FEED_TYP, currentDate: app.clock.now() })
    return { cursor: String(payload.cursor), revoked: new Map(payload.revoked as [string, number][]), payload }
  }
  const isListed = async (token: string, query = '') => isDistrusted((await feed(query)).revoked, claimsOf(token))
  const writeEvent = (event: (typeof AUDIT_EVENTS)[number], target?: { readonly type: string; readonly id: string }, actorId?: string) =>
    atomically(forTenant(app.db, company.tenantId), (t) =>
      recordEvent(
        t,
        { clock: app.clock, random: app.ctx.random, keyring: app.ctx.keyring, hash: app.ctx.hash },
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
    delegated,
    refresh: set.refresh_token as string,
    getFeed,
    feed,
    isListed,
    writeEvent,
    counted,
  }
}

test('Without revocations the feed is empty, and a request with its ETag gets 304', async () => {
  const { getFeed, feed, root, isListed } = await start()
  const { payload } = await feed()
  expect(payload).toMatchObject({ revoked: [], exp: Number(payload.iat) + 10 })
  expect(await isListed(root)).toBe(false)
  const first = await getFeed()
  expect(first.headers.get('content-type')).toBe('application/jwt')
  const again = await getFeed('', { 'if-none-match': first.headers.get('etag') ?? '' })
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('The feed has a revoked token and the tokens derived from it, and after its cursor omits them after a while', async () => {
  const { app, root, delegated, client, getFeed, feed, isListed } = await start()
  const tag = (await getFeed()).headers.get('etag') ?? ''
  await postForm(app, '/oauth/revoke', { token: root }, { authorization: client.authorization })
  expect((await getFeed('', { 'if-none-match': tag })).status).toBe(200)
  for (const token of [root, delegated]) expect(await isListed(token)).toBe(true)
  const { cursor } = await feed()
  expect(await isListed(root, `?after=${cursor}`)).toBe(true)
  app.clock.advance(40)
  const later = await feed()
  expect(await isListed(root, `?after=${later.cursor}`)).toBe(false)
  expect(await isListed(root)).toBe(true)
})

test('Revoking a refresh token lists the authorization; signing out lists the tokens of the session', async () => {
  const one = await start()
  await postForm(one.app, '/oauth/revoke', { token: one.refresh }, { authorization: one.client.authorization })
  for (const token of [one.root, one.delegated]) expect(await one.isListed(token)).toBe(true)
  const two = await start()
  const session = String(claimsOf(two.root).sid)
  await atomically(forTenant(two.app.db, two.company.tenantId), (t) => revokeSession(t, two.person.id, session, two.app.clock.now(), 'signed_out'))
  await two.writeEvent('user.signed_out', { type: 'session', id: session }, two.person.id)
  for (const token of [two.root, two.delegated]) expect(await two.isListed(token)).toBe(true)
})

test('The feed lists a suspended agent, and an agent whose owner was deactivated', async () => {
  const one = await start()
  const token = await one.app.token(one.owner)
  expect((await one.admin.request(`/agents/${one.agent.id}/suspend`, { method: 'POST', body: {}, token })).status).toBe(200)
  expect([await one.isListed(one.delegated), await one.isListed(one.root)]).toEqual([true, false])
  const two = await start()
  await two.writeEvent('user.deactivated', { type: 'user', id: two.owner.id })
  expect([await two.isListed(two.delegated), await two.isListed(two.root)]).toEqual([true, false])
})

test('A disabled client also lists tokens exchanged from its own, although they do not name it', async () => {
  const { client, delegated, root, isListed, writeEvent } = await start()
  expect(JSON.stringify(claimsOf(delegated))).not.toContain(client.id)
  await writeEvent('client.deactivated', { type: 'client', id: client.id })
  expect([await isListed(delegated), await isListed(root)]).toEqual([true, true])
})

test.each(Object.entries(DISTRUSTING))('The event %s lists the affected tokens', async (event, about) => {
  const { app, person, root, delegated, isListed, writeEvent } = await start()
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
  await writeEvent(event as keyof typeof DISTRUSTING, target, person.id)
  for (const token of [root, delegated]) expect(await isListed(token), event).toBe(true)
})

test('Removing a second factor lists the other sessions, and a client that deletes itself lists its tokens', async () => {
  const one = await start()
  const factors = await startApp(factorRoutes)
  await enrol(factors, one.person, 'webauthn')
  await enrol(factors, one.person, 'totp')
  const token = await factors.token(one.person, ['pwd', 'otp'])
  const factor = (await findFactors(forTenant(factors.db, one.company.tenantId), one.person.id)).find(({ kind }) => kind === 'totp')
  expect((await factors.request(`/account/factors/${factor?.id}`, { method: 'DELETE', token })).status).toBe(200)
  for (const ownToken of [one.root, one.delegated]) expect(await one.isListed(ownToken)).toBe(true)
  const two = await start()
  const selfRegistered = await newSelfRegistered(two.app, two.company, { grantTypes: ['authorization_code'] })
  await atomically(forTenant(two.app.db, two.company.tenantId), (t) => registerClient(t, two.server.id, selfRegistered.id, two.app.clock.now()))
  const code = await codeFor(await oauthBrowser(two.app, two.person), { ...selfRegistered, secret: '', authorization: '' }, { scope: 'tools:read' })
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, client_id: selfRegistered.id }
  const { access_token: ownToken } = await (await postForm(two.app, '/oauth/token', form)).json()
  expect(await two.isListed(ownToken)).toBe(false)
  expect((await two.app.request(`/oauth/register/${selfRegistered.id}`, { method: 'DELETE', token: selfRegistered.token })).status).toBe(204)
  expect(await two.isListed(ownToken)).toBe(true)
  // No agent acted on its tokens, so no other token is listed.
  expect(await two.isListed(two.root)).toBe(false)
})

test("A client that deletes itself also lists an agent's token exchanged from its own, although it does not name the client", async () => {
  const { app, company, server, person, agent, isListed } = await start()
  const selfRegistered = await newSelfRegistered(app, company, { grantTypes: ['authorization_code'] })
  await atomically(forTenant(app.db, company.tenantId), (t) => registerClient(t, server.id, selfRegistered.id, app.clock.now()))
  const code = await codeFor(await oauthBrowser(app, person), { ...selfRegistered, secret: '', authorization: '' }, { scope: 'tools:read' })
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, client_id: selfRegistered.id }
  const { access_token: ownToken } = await (await postForm(app, '/oauth/token', form)).json()
  const derived: string = (await (await exchange(app, agent, ownToken)).json()).access_token
  expect(JSON.stringify(claimsOf(derived))).not.toContain(selfRegistered.id)
  expect(await isListed(derived)).toBe(false)
  expect((await app.request(`/oauth/register/${selfRegistered.id}`, { method: 'DELETE', token: selfRegistered.token })).status).toBe(204)
  expect(await isListed(derived)).toBe(true)
  expect((await introspected(app, server, derived)).active).toBe(false)
})

test('Tokens issued after the event are not listed', async () => {
  const { app, person, root, writeEvent, feed } = await start()
  await writeEvent('user.password_changed', { type: 'user', id: person.id })
  const { revoked } = await feed()
  const { iat, ...claims } = claimsOf(root)
  expect(isDistrusted(revoked, { ...claims, iat })).toBe(true)
  expect(isDistrusted(revoked, { ...claims, iat: Math.floor(app.clock.now().getTime() / 1000) + 1 })).toBe(false)
  expect(isDistrusted(revoked, claims)).toBe(true)
})

test('Only the resource server can read its feed, which has no plain ids and is separate per company', async () => {
  const { app, company, person, client, root, getFeed, writeEvent, server } = await start()
  await writeEvent('user.deactivated', { type: 'user', id: person.id })
  const text = await (await getFeed()).text()
  for (const id of [person.id, client.id, company.tenantId, person.email])
    expect(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()).not.toContain(id)
  for (const authorization of [client.authorization, basicOf(server.id, 'x'), `Bearer ${root}`, ''])
    expect((await getFeed('', {}, authorization)).status).toBe(401)
  const ofGlobex = await newResource(app, await app.company('globex'), [])
  const other = await (await getFeed('', {}, ofGlobex.authorization)).text()
  expect(claimsOf(other)).toMatchObject({ aud: ofGlobex.resource, revoked: [] })
  const refused = await getFeed('?after=x')
  expect([refused.status, (await refused.json()).error]).toEqual([400, 'invalid_request'])
  expect((await getFeed('?since=1')).status).toBe(400)
})

test('The feed costs two statements without revocations, three with them', async () => {
  const { getFeed, writeEvent, person, counted } = await start()
  await getFeed()
  expect(await counted.during(() => getFeed())).toEqual({ statements: 2, roundTrips: 2 })
  await writeEvent('user.deactivated', { type: 'user', id: person.id })
  expect(await counted.during(() => getFeed())).toEqual({ statements: 3, roundTrips: 3 })
})

test('The digests of a token cover its own ids and those that it depends on', () => {
  const act = { sub: 'b', act: { sub: 'a' } }
  expect(new Set(digestsOf({ tenant_id: 't', sub: 's', client_id: 'b', act, authorization_id: 'z', delegation_id: 'd', jti: 'j' })).size).toBe(8)
  expect(digestsOf({ sub: 1, act: 'x', client_id: null })).toEqual([])
})
