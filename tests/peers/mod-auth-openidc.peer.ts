// Apache's mod_auth_openidc as a relying party: the code flow, and back-channel logout without its browser.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cookieJar } from '../support/app.ts'
import { newOauthClient } from '../support/oauth.ts'
import { freePort } from './free-port.ts'
import { placesOf, startRelyingParty } from './mod-auth-openidc.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

let server: AuthorizationServer
let rp: Awaited<ReturnType<typeof startRelyingParty>>
let at: ReturnType<typeof placesOf>
beforeAll(async () => {
  server = await startAuthorizationServer({ OUTBOUND_LOOPBACK: 'on' })
  const port = await freePort()
  at = placesOf(port)
  const made = await newOauthClient(server.where, server.company, {
    redirectUris: [at.redirectUri],
    postLogoutRedirectUris: [at.after],
    backchannelLogoutUri: at.backchannelLogoutUri,
    backchannelLogoutSessionRequired: true,
  })
  rp = await startRelyingParty(port, { issuer: server.issuer, clientId: made.id, secret: made.secret })
}, 300_000)
afterAll(async () => {
  await rp?.stop()
  await server?.stop()
})

/** One browser with cookies for both sides. */
const newBrowser = () => {
  const [theirs, ours] = [cookieJar(), cookieJar()]
  const get = async (address: string): Promise<Response> => {
    const response = await unmetChecks(address, { redirect: 'manual', headers: theirs.header() })
    theirs.take(response)
    return response
  }
  const signIn = async (): Promise<Response> => {
    const asked = await get(at.page)
    expect(asked.status).toBe(302)
    const back = await server.walk(asked.headers.get('location') ?? '', ours)
    const led = await get(back.href)
    expect([led.status, led.headers.get('location')]).toEqual([302, at.page])
    return get(at.page)
  }
  return { get, signIn, ours }
}

const isOut = async (get: (address: string) => Promise<Response>): Promise<boolean> => {
  for (let tries = 0; tries < 100; tries++) {
    if ((await get(at.page)).status === 302) return true
    await sleep(100)
  }
  return false
}

test('smoke: signs in with the code flow, and is notified over the back channel that the person signed out', async () => {
  const [browser, other] = [newBrowser(), newBrowser()]
  const page = await browser.signIn()
  expect([page.status, page.headers.get('x-user'), await page.text()]).toEqual([200, server.email, 'inside'])
  expect((await other.signIn()).status).toBe(200)
  // The person signs out on the issuer's sign-out page, without the relying party.
  await server.walk(`${server.issuer}/oauth/logout`, browser.ours).catch(() => undefined)
  expect(await isOut(browser.get)).toBe(true)
  // The session of another browser is not affected.
  expect((await other.get(at.page)).status).toBe(200)
})

test('its own logout ends the session at the issuer and returns', async () => {
  const browser = newBrowser()
  await browser.signIn()
  const leaving = await browser.get(`${at.redirectUri}?logout=${encodeURIComponent(at.after)}`)
  const out = new URL(leaving.headers.get('location') ?? '')
  expect(`${out.origin}${out.pathname}`).toBe(`${server.issuer}/oauth/logout`)
  const back = await server.walk(out.href, browser.ours)
  expect(`${back.origin}${back.pathname}`).toBe(at.after)
  expect((await browser.get(at.page)).status).toBe(302)
  expect([...browser.ours.kept.keys()].filter((name) => name.endsWith('session'))).toEqual([])
})
