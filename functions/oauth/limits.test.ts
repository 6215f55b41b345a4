import { expect, test } from 'vitest'
import { authorizationServerError } from '#shared/platform/http/problem'
import { startApp, type TestApp } from '#tests/support/app'
import { newOauthClient, newResource, type OauthTestClient } from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const start = async () => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError, env: { RATE_LIMIT: 'on' } })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'a' }])
  return { app, company, server, client: await newOauthClient(app, company, { at: [server] }) }
}
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const ask = async (app: TestApp, address: string, path: string, form: Readonly<Record<string, string>>, authorization?: string): Promise<Response> =>
  app.request(path, {
    method: 'POST',
    address,
    body: new URLSearchParams(form).toString(),
    headers: { ...FORM, ...(authorization === undefined ? {} : { authorization }) },
  })
/** So many requests, fifty at a time; answers how many had which status. */
const many = async (count: number, send: () => Promise<Response>): Promise<Readonly<Record<number, number>>> => {
  const seen: Record<number, number> = {}
  for (let sent = 0; sent < count; sent += 50) {
    const answers = await Promise.all(Array.from({ length: Math.min(50, count - sent) }, send))
    for (const { status } of answers) seen[status] = (seen[status] ?? 0) + 1
  }
  return seen
}

test('a company\u2019s services behind one address get their tokens and ask about them, past what a stranger may', async () => {
  const { app, server, client } = await start()
  const token = () => ask(app, '198.51.100.1', '/oauth/token', { grant_type: 'client_credentials' }, client.authorization)
  expect(await many(650, token)).toEqual({ 200: 650 })
  const about = () => ask(app, '198.51.100.1', '/oauth/introspect', { token: 'x' }, server.authorization)
  expect(await many(650, about)).toEqual({ 200: 650 })
}, 120_000)

test('who proves nothing shares what its address may, over all routes; a proved client there goes on', async () => {
  const { app, client, company } = await start()
  const open = await newOauthClient(app, company, { isPublic: true, grantTypes: ['refresh_token'] })
  const guess = (who: OauthTestClient) =>
    ask(app, '198.51.100.2', '/oauth/token', { grant_type: 'refresh_token', client_id: who.id, refresh_token: 'x' })
  const seen = await many(620, () => guess(open))
  expect(seen).toEqual({ 400: 600, 429: 20 })
  expect((await ask(app, '198.51.100.2', '/oauth/token', { grant_type: 'client_credentials' }, client.authorization)).status).toBe(200)
}, 120_000)

test('guessing secrets ends soon, at both doors', async () => {
  const { app, client, server } = await start()
  const wrong = `Basic ${Buffer.from(`${client.id}:wrong`).toString('base64')}`
  expect(await many(80, () => ask(app, '198.51.100.3', '/oauth/token', { grant_type: 'client_credentials' }, wrong))).toEqual({ 401: 60, 429: 20 })
  const other = `Basic ${Buffer.from(`${server.id}:wrong`).toString('base64')}`
  expect(await many(80, () => ask(app, '198.51.100.4', '/oauth/introspect', { token: 'x' }, other))).toEqual({ 401: 60, 429: 20 })
})
