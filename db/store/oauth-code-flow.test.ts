// Statements that read several tables at once, compared with the statements for each.
import { expect, test } from 'vitest'
import { type Company, startApp } from '#tests/support/app'
import { newOauthClient, newResource } from '#tests/support/oauth'
import { atomically, forTenant } from '../engine/tenant.ts'
import type { NewAuditRow, PreparedAuditEvents } from './audit-events.ts'
import { findPageBranding } from './branding.ts'
import { authorizeClient, findAnyAuthorizationRequest, findConsentState, insertAuthorizationRequest, redeemCode } from './oauth-authorizations.ts'
import { findOauthClient } from './oauth-clients.ts'
import { consumeConsent, findClientAndCode, findClientAndConsent, storeRequestForPage } from './oauth-code-flow.ts'
import { findAuthorizationState, findAuthorizationStateByCode, revokeAuthorization } from './oauth-families.ts'
import { setUserActive } from './people.ts'
import { updateUser } from './users.ts'

const soon = (): Date => new Date(Date.now() + 1000)

const start = async () => {
  const app = await startApp([])
  const company = await app.company()
  const server = await newResource(app, company, [
    { name: 'a', description: 'A' },
    { name: 'b', permission: 'things:write' },
  ])
  const client = await newOauthClient(app, company, { at: [server], permissions: ['things:write'] })
  const person = await app.person(company, ['things:write'])
  const t = forTenant(app.db, company.tenantId)
  const [now, sessionId] = [app.clock.now(), app.ctx.random.id()]
  const later = new Date(now.getTime() + 60_000)
  const event = (until = soon()): PreparedAuditEvents => {
    const row: NewAuditRow = {
      id: app.ctx.random.id(),
      at: now,
      event: 'test.done',
      outcome: 'success',
      actorType: 'system',
      subjectId: company.tenantId,
    }
    return { rows: [row], until }
  }
  const events = async () => (await app.events(company.tenantId, { event: 'test.done' })).length
  const authorize = async (scopes: string[], resourceServerId: string | null = server.id, remember = true, by = event()) => {
    const [id, codeHash] = [app.ctx.random.id(), app.ctx.random.bytes(32)]
    const owner = { userId: person.id, clientId: client.id, resourceServerId, sessionId }
    const proof = { codeHash, codeExpiresAt: later, redirectUri: client.redirectUri, codeChallenge: 'challenge' }
    const row = { id, grantId: app.ctx.random.id(), ...owner, ...proof, offline: true, scopes, authTime: now, amr: ['pwd'], acr: 'aal1' }
    const isDone = await authorizeClient(t, { ...row, createdAt: now, expiresAt: later }, remember, by)
    return { id, codeHash, isDone }
  }
  const request = (handleHash: Uint8Array, resource?: string) => ({
    id: app.ctx.random.id(),
    kind: 'consent' as const,
    handleHash,
    clientId: client.id,
    userId: person.id,
    sessionId,
    parameters: resource === undefined ? { scope: 'a' } : { scope: 'a', resource },
    createdAt: now,
    expiresAt: later,
  })
  return { app, company, server, client, person, t, now, later, sessionId, event, events, authorize, request }
}
const strangers = (company: Company, sessionId: string, userId: string) => [
  { userId: company.admin.id, sessionId },
  { userId, sessionId: company.admin.id },
]

test('client and consent read together equal each read alone', async () => {
  const { server, client, person, t, now, authorize } = await start()
  await authorize(['a'])
  await authorize(['openid'], null)
  for (const resource of [undefined, server.resource, 'https://nowhere.example/']) {
    const both = await findClientAndConsent(t, { clientId: client.id, resource, userId: person.id, now })
    expect(both?.client).toEqual(await findOauthClient(t, client.id, resource, now))
    const of = { userId: person.id, clientId: client.id, now }
    expect(both?.beside).toEqual({
      atServer: await findConsentState(t, { ...of, resourceServerId: both?.client.resource?.id ?? null }),
      ofIdentity: await findConsentState(t, { ...of, resourceServerId: null }),
    })
  }
  const { atServer, ofIdentity } = (await findClientAndConsent(t, { clientId: client.id, resource: undefined, userId: person.id, now }))?.beside ?? {}
  expect([atServer, ofIdentity]).toEqual([
    { held: ['a', 'b'], granted: ['a'] },
    { held: [], granted: ['openid'] },
  ])
  expect(await findClientAndConsent(t, { clientId: person.id, resource: undefined, userId: person.id, now })).toBeUndefined()
})

test('a request stored for a page equals any stored request, and the page reads the same data', async () => {
  const { app, t, request } = await start()
  const [one, other] = [app.ctx.random.bytes(32), app.ctx.random.bytes(32)]
  expect(await storeRequestForPage(t, request(one, 'https://x.example/'))).toEqual(await findPageBranding(t))
  await insertAuthorizationRequest(t, request(other, 'https://x.example/'))
  const { id: _, handleHash: __, ...kept } = (await findAnyAuthorizationRequest(t, one)) ?? {}
  expect(await findAnyAuthorizationRequest(t, other)).toMatchObject(kept)
})

test('a consent is answered once, by the person it was presented to, with the current client', async () => {
  const { app, company, server, client, person, t, now, later, sessionId, request } = await start()
  const handleHash = app.ctx.random.bytes(32)
  await insertAuthorizationRequest(t, request(handleHash, server.resource))
  for (const stranger of strangers(company, sessionId, person.id)) expect(await consumeConsent(t, { handleHash, ...stranger, now })).toBeUndefined()
  const owner = { handleHash, userId: person.id, sessionId }
  expect(await consumeConsent(t, { ...owner, now: later })).toBeUndefined()
  const globex = forTenant(app.db, (await app.company('globex')).tenantId)
  expect(await consumeConsent(globex, { ...owner, now })).toBeUndefined()
  expect(await consumeConsent(t, { ...owner, now })).toEqual({
    parameters: { scope: 'a', resource: server.resource },
    client: await findOauthClient(t, client.id, server.resource, now),
    held: ['a', 'b'],
  })
  expect(await consumeConsent(t, { ...owner, now })).toBeUndefined()
})

test('client and authorization of a code read together equal each read alone', async () => {
  const { app, client, t, now, authorize } = await start()
  const { id, codeHash } = await authorize(['a', 'b'])
  const of = { clientId: client.id, resource: undefined, now }
  expect(await findClientAndCode(t, { ...of, codeHash })).toEqual({
    client: await findOauthClient(t, client.id, undefined, now),
    beside: await findAuthorizationState(t, id, now),
  })
  expect(await findAuthorizationStateByCode(t, codeHash, now)).toEqual(await findAuthorizationState(t, id, now))
  expect((await findClientAndCode(t, { ...of, codeHash: app.ctx.random.bytes(32) }))?.beside).toBeUndefined()
  expect(await findClientAndCode(t, { ...of, clientId: id, codeHash })).toBeUndefined()
  const globex = await app.company('globex')
  const theirs = await newOauthClient(app, globex)
  expect((await findClientAndCode(forTenant(app.db, globex.tenantId), { ...of, clientId: theirs.id, codeHash }))?.beside).toBeUndefined()
})

test('a code is redeemed together with its event, and only while the authorization is unchanged', async () => {
  const { app, person, t, now, later, event, events, authorize } = await start()
  const { id } = await authorize(['a', 'b'])
  const read = await findAuthorizationState(t, id, now)
  if (read === undefined) throw new Error('nothing was authorized')
  const redemption = { jkt: undefined, now, familyHash: app.ctx.random.bytes(32), offlineUntil: later, onlineUntil: later }
  const before = await events()
  const { resource } = read
  for (const wrong of [
    { id: person.id },
    { resource: undefined },
    { resource: resource && { ...resource, scopes: ['a'] } },
    { resource: resource && { ...resource, resource: 'https://elsewhere.example/' } },
  ])
    expect(await redeemCode(t, { ...redemption, snapshot: { ...read, ...wrong } }, event())).toBeUndefined()
  expect(await redeemCode(t, { ...redemption, snapshot: read }, event(new Date(0)))).toBeUndefined()
  expect([await events(), await findAuthorizationState(t, id, now)]).toEqual([before, read])
  await atomically(t, (tx) => updateUser(tx, person.id, { name: 'Changed' }))
  expect(await redeemCode(t, { ...redemption, snapshot: read }, event())).toEqual({ ...read, name: 'Changed' })
  expect(await redeemCode(t, { ...redemption, snapshot: read }, event())).toBeUndefined()
  expect(await events()).toBe(before + 1)
})

test('a code is not redeemed after the authorization was revoked or the person disabled', async () => {
  const { app, person, t, now, later, event, events, authorize } = await start()
  const [one, other] = [await authorize(['a']), await authorize(['a'])]
  const redemption = { jkt: undefined, now, familyHash: app.ctx.random.bytes(32), offlineUntil: later, onlineUntil: later }
  const before = await events()
  const [revoked, stopped] = [await findAuthorizationState(t, one.id, now), await findAuthorizationState(t, other.id, now)]
  if (revoked === undefined || stopped === undefined) throw new Error('nothing was authorized')
  await atomically(t, (tx) => revokeAuthorization(tx, one.id, now, 'test'))
  expect(await redeemCode(t, { ...redemption, snapshot: revoked }, event())).toBeUndefined()
  await atomically(t, (tx) => setUserActive(tx, person.id, false, now))
  expect(await redeemCode(t, { ...redemption, snapshot: stopped }, event())).toBeUndefined()
  expect(await events()).toBe(before)
})

test('a consent is written together with its event in time, or not at all', async () => {
  const { t, now, client, person, server, event, events, authorize } = await start()
  const [{ isDone }, late] = [await authorize(['a']), await authorize(['a', 'b'], server.id, true, event(new Date(0)))]
  expect([isDone, late.isDone, await events()]).toEqual([true, false, 1])
  expect(await findAuthorizationState(t, late.id, now)).toBeUndefined()
  const of = { userId: person.id, clientId: client.id, resourceServerId: server.id, now }
  expect((await findConsentState(t, of)).granted).toEqual(['a'])
})
