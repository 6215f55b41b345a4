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
const post = async (app: TestApp, address: string, path: string, form: Readonly<Record<string, string>>, authorization?: string): Promise<Response> =>
  app.request(path, {
    method: 'POST',
    address,
    body: new URLSearchParams(form).toString(),
    headers: { ...FORM, ...(authorization === undefined ? {} : { authorization }) },
  })
/** Sends `count` requests, fifty at a time, and returns how often each status came back. */
const sendMany = async (count: number, send: () => Promise<Response>): Promise<Readonly<Record<number, number>>> => {
  const statuses: Record<number, number> = {}
  for (let sent = 0; sent < count; sent += 50) {
    const answers = await Promise.all(Array.from({ length: Math.min(50, count - sent) }, send))
    for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}

test('Authenticated clients and resource servers behind one network address exceed the limit of unauthenticated callers', async () => {
  const { app, server, client } = await start()
  const token = () => post(app, '198.51.100.1', '/oauth/token', { grant_type: 'client_credentials' }, client.authorization)
  expect(await sendMany(650, token)).toEqual({ 200: 650 })
  const about = () => post(app, '198.51.100.1', '/oauth/introspect', { token: 'x' }, server.authorization)
  expect(await sendMany(650, about)).toEqual({ 200: 650 })
}, 120_000)

test('Unauthenticated requests share the limit of their network address; an authenticated client there is not affected', async () => {
  const { app, client, company } = await start()
  const publicClient = await newOauthClient(app, company, { isPublic: true, grantTypes: ['refresh_token'] })
  const guess = (by: OauthTestClient) =>
    post(app, '198.51.100.2', '/oauth/token', { grant_type: 'refresh_token', client_id: by.id, refresh_token: 'x' })
  const statuses = await sendMany(620, () => guess(publicClient))
  expect(statuses).toEqual({ 400: 600, 429: 20 })
  expect((await post(app, '198.51.100.2', '/oauth/token', { grant_type: 'client_credentials' }, client.authorization)).status).toBe(200)
}, 120_000)

test('Guesses of secrets are limited at the token and the introspection endpoint', async () => {
  const { app, client, server } = await start()
  const wrong = `Basic ${Buffer.from(`${client.id}:wrong`).toString('base64')}`
  expect(await sendMany(80, () => post(app, '198.51.100.3', '/oauth/token', { grant_type: 'client_credentials' }, wrong))).toEqual({
    401: 60,
    429: 20,
  })
  const other = `Basic ${Buffer.from(`${server.id}:wrong`).toString('base64')}`
  expect(await sendMany(80, () => post(app, '198.51.100.4', '/oauth/introspect', { token: 'x' }, other))).toEqual({ 401: 60, 429: 20 })
})
