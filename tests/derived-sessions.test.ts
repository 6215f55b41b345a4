// A session that begins from another (an approved device, an approved backchannel request, a token of the main client) outlasts it in no way.
import { describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findSessions } from '#db/store/sessions'
import type { Route } from '#shared/platform/http/route'
import { accountRoutes } from '../functions/account/routes.ts'
import { cibaRoutes } from '../functions/ciba/routes.ts'
import { deviceRoutes } from '../functions/device/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import type { Company, Person, TestApp } from './support/app.ts'
import { answerCibaRequest, newCibaClient, newPhone, pollCiba, requestCibaFor, startCiba } from './support/ciba.ts'
import { beginDeviceOf, DEVICE, pollDevice } from './support/grants.ts'
import { claimsOf } from './support/oauth.ts'
import { bodyOf, eventsOf, textIn } from './support/sign-in.ts'

const DAY = 24 * 3600
const routes = [...deviceRoutes, ...cibaRoutes, ...accountRoutes, ...oauthRoutes] as readonly Route<never>[]
const world = async () => {
  const { app } = await startCiba(routes)
  const company = await app.company()
  return { app, company, person: await app.person(company) }
}
type World = Awaited<ReturnType<typeof world>>

/** A device's token, approved with the given one. */
const byDevice = async ({ app, company }: World, token: string): Promise<string> => {
  const codes = await beginDeviceOf(app, company)
  expect((await app.request(`${DEVICE}/verify`, { token, body: { user_code: codes.userCode, approve: true } })).status).toBe(200)
  return textIn(await bodyOf(await pollDevice(app, codes, company.clientId)), 'access_token')
}
const byBackchannel = async ({ app, company, person }: World, token: string): Promise<string> => {
  const client = await newCibaClient(app, company)
  const register = { device_token: `token-${app.ctx.random.id()}`, platform: 'android' }
  expect((await app.request('/authsec/uflow/auth/ciba/register-device', { token, body: register })).status).toBe(200)
  const authReqId = await requestCibaFor(app, client, person.email)
  expect(await bodyOf(await answerCibaRequest(app, token, authReqId))).toMatchObject({ success: true })
  return textIn(await bodyOf(await pollCiba(app, client.clientId, authReqId)), 'access_token')
}
const WAYS = { 'a device': byDevice, 'a backchannel request': byBackchannel } as const

const sessionOf = (token: string): string => String(claimsOf(token).sid)
const isLive = async (app: TestApp, token: string): Promise<boolean> => (await app.request('/account/sessions', { token })).status === 200
const liveSessions = async (app: TestApp, { tenantId }: Company, { id }: Person): Promise<number> =>
  (await findSessions(forTenant(app.db, tenantId), id, app.clock.now())).length

describe.each(Object.entries(WAYS))('%s', (_, derive) => {
  test('its session expires when the absolute lifetime after the authentication of its source is over, however long the chain', async () => {
    const w = await world()
    const source = await w.app.token(w.person)
    const signedInAt = w.app.clock.now().getTime() / 1000
    w.app.clock.advance(200)
    const first = await derive(w, source)
    w.app.clock.advance(90)
    const second = await derive(w, first)
    for (const token of [first, second]) expect(claimsOf(token)).toMatchObject({ auth_time: signedInAt, exp: signedInAt + DAY })
    expect(await Promise.all([first, second].map((token) => isLive(w.app, token)))).toEqual([true, true])
  })

  test.each(['signs out', 'ends the source from another session', 'ends all other sessions'])(
    'what was derived ends with its source: the person %s',
    async (how) => {
      const w = await world()
      const [source, third] = [await w.app.token(w.person), await w.app.token(w.person)]
      const first = await derive(w, source)
      const second = await derive(w, first)
      const end: Readonly<Record<string, () => Promise<Response>>> = {
        'signs out': () => w.app.request('/account/sign-out', { method: 'POST', token: source }),
        'ends the source from another session': () => w.app.request(`/account/sessions/${sessionOf(source)}`, { method: 'DELETE', token: third }),
        'ends all other sessions': () => w.app.request('/account/sessions/end-others', { method: 'POST', token: third }),
      }
      const ended = (await end[how]?.()) ?? new Response(null, { status: 500 })
      expect(ended.status).toBeLessThan(300)
      w.app.clock.advance(2)
      for (const token of [source, first, second]) expect(await isLive(w.app, token)).toBe(false)
      expect(await isLive(w.app, third)).toBe(true)
    },
  )

  test('ending the derived session leaves its source', async () => {
    const w = await world()
    const source = await w.app.token(w.person)
    const first = await derive(w, source)
    await w.app.request('/account/sign-out', { method: 'POST', token: first })
    w.app.clock.advance(2)
    expect([await isLive(w.app, first), await isLive(w.app, source)]).toEqual([false, true])
  })
})

describe('approval needs a sign-in of the last five minutes', () => {
  test.each(['verify', 'authorize'])('device/%s: an older one is challenged (RFC 9470), decides nothing, and may still deny', async (route) => {
    const w = await world()
    const token = await w.app.token(w.person)
    w.app.clock.advance(301)
    const codes = await beginDeviceOf(w.app, w.company)
    const decide = (approve: boolean) =>
      w.app.request(`${DEVICE}/${route}`, { token, body: { user_code: codes.userCode, approve, approved: approve } })
    const refused = await decide(true)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('max_age="300"')])
    expect(await eventsOf(w.app, w.company.tenantId, `device.${route}`)).toEqual(['refused: insufficient_user_authentication'])
    expect(await bodyOf(await pollDevice(w.app, codes, w.company.clientId))).toMatchObject({ error: 'authorization_pending' })
    expect((await decide(false)).status).toBe(200)
  })

  test.each(['/authsec/uflow/auth/tenant/ciba/respond', '/authsec/uflow/auth/ciba/respond'])('%s', async (path) => {
    const w = await world()
    const client = await newCibaClient(w.app, w.company)
    const phone = await newPhone(w.app, w.person)
    w.app.clock.advance(301)
    const auth_req_id = await requestCibaFor(w.app, client, w.person.email)
    const decide = (approved: boolean) => w.app.request(path, { token: phone.session, body: { auth_req_id, approved } })
    const before = await liveSessions(w.app, w.company, w.person)
    const refused = await decide(true)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('max_age="300"')])
    expect((await pollCiba(w.app, client.clientId, auth_req_id)).status).not.toBe(200)
    expect(await liveSessions(w.app, w.company, w.person)).toBe(before)
    expect((await decide(false)).status).toBe(200)
  })
})

test('a source that ends between the approval and the poll leaves nothing to derive', async () => {
  const w = await world()
  const source = await w.app.token(w.person)
  const codes = await beginDeviceOf(w.app, w.company)
  await w.app.request(`${DEVICE}/verify`, { token: source, body: { user_code: codes.userCode, approve: true } })
  await w.app.request('/account/sign-out', { method: 'POST', token: source })
  expect((await pollDevice(w.app, codes, w.company.clientId)).status).toBe(403)
  expect(await liveSessions(w.app, w.company, w.person)).toBe(0)
})
