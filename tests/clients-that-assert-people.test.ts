// Routes of AuthSec's wire at which a client's own secret leads to a session of a person: which clients count, and whom they can never speak for.
import { expect, test } from 'vitest'
import { authorizationServerError } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { newPhone, startCiba } from '#tests/support/ciba'
import { basicOf, type Json, newOauthClient, newResource, type ResourceServer } from '#tests/support/oauth'
import { bodyOf } from '#tests/support/sign-in'
import { agentRoutes } from '../functions/agents/routes.ts'
import { cibaRoutes } from '../functions/ciba/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { peopleRoutes } from '../functions/people/routes.ts'
import { voiceRoutes } from '../functions/voice/routes.ts'

const VOICE = '/authsec/uflow/auth/voice'
const SPEAKER = { voice_platform: 'alexa', voice_user_id: 'amzn1.ask.account.ADA' }

type Requests = { readonly request: (path: string, options: { readonly body: Json }) => Promise<Response> }
const selfRegistered = async (app: Requests, server: ResourceServer) => {
  const body = { client_name: 'x', redirect_uris: ['https://x.example/cb'], resource: server.resource }
  const { client_id, client_secret } = (await (await app.request('/oauth/register', { body })).json()) as Json
  return { id: String(client_id), headers: { authorization: basicOf(String(client_id), String(client_secret)) } }
}

const refusal = async (response: Response): Promise<unknown> => ((await response.json()) as Json).code

const startVoice = async () => {
  const app = await startApp([...voiceRoutes, ...oauthRoutes, ...agentRoutes, ...peopleRoutes] as never, { render: authorizationServerError })
  const company = await app.company()
  const link = async (person: { readonly id: string }, token: string) =>
    expect(await bodyOf(await app.request(`${VOICE}/link`, { token, body: { ...SPEAKER, voice_user_id: `speaker-${person.id}` } }))).toMatchObject({
      success: true,
    })
  const initiate = (client: { readonly id: string; readonly headers: Readonly<Record<string, string>> }, person: { readonly id: string }) =>
    app.request(`${VOICE}/initiate`, { headers: client.headers, body: { client_id: client.id, ...SPEAKER, voice_user_id: `speaker-${person.id}` } })
  const verify = async (begun: Json) =>
    bodyOf(await app.request(`${VOICE}/verify`, { body: { session_token: begun.session_token, voice_otp: begun.voice_otp } }))
  return { app, company, link, initiate, verify }
}

test('a client of an administrator signs a linked person in by voice, but never an administrator', async () => {
  const { app, company, link, initiate, verify } = await startVoice()
  const client = await newOauthClient(app, company)
  const speaking = { id: client.id, headers: { authorization: client.authorization } }
  const person = await app.person(company)
  await link(person, await app.token(person))
  expect(await verify(await bodyOf(await initiate(speaking, person)))).toMatchObject({ access_token: expect.any(String) })
  await link(company.admin, await app.token(company.admin))
  const answer = await verify(await bodyOf(await initiate(speaking, company.admin)))
  expect(answer).not.toHaveProperty('access_token')
  expect(answer).toMatchObject({ user_code: expect.any(String) })
})

test('a client that registered itself speaks for nobody by voice', async () => {
  const { app, company, link, initiate } = await startVoice()
  const person = await app.person(company)
  await link(person, await app.token(person))
  const server = await newResource(app, company, [{ name: 'tools:read' }], { registrationModes: ['dcr'] })
  expect(await refusal(await initiate(await selfRegistered(app as never, server), person))).toBe('invalid_client')
})

test('an agent that is suspended speaks for nobody by voice', async () => {
  const { app, company, link, initiate } = await startVoice()
  const [person, admin] = [await app.person(company), await app.token(company.admin)]
  await link(person, await app.token(person))
  const made = (await (
    await app.request('/agents', { token: admin, body: { name: 'Robo', agent_type: 'assistant', owner_id: person.id } })
  ).json()) as Json
  const agent = { id: String(made.id), headers: { authorization: basicOf(String(made.id), String(made.client_secret)) } }
  expect((await initiate(agent, person)).status).toBe(200)
  expect((await app.request(`/agents/${agent.id}/suspend`, { token: admin, body: {} })).status).toBe(200)
  expect(await refusal(await initiate(agent, person))).toBe('invalid_client')
})

test('a client that registered itself asks nobody through CIBA', async () => {
  const { app } = await startCiba([...cibaRoutes, ...oauthRoutes] as never, { render: authorizationServerError })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }], { registrationModes: ['dcr'] })
  await newPhone(app, company.admin)
  const { headers } = await selfRegistered(app as never, server)
  const begun = await app.request('/authsec/uflow/auth/ciba/initiate', { headers, body: { login_hint: company.admin.email } })
  expect(begun.status).toBeGreaterThanOrEqual(400)
  expect(await begun.json()).not.toHaveProperty('auth_req_id')
})

test('an export of a person does not tell the id of their speaker', async () => {
  const { app, company, link } = await startVoice()
  await link(company.admin, await app.token(company.admin))
  const reader = await app.token(await app.person(company, ['admin:access', 'users:read', 'audit:read']))
  const exported = await app.request(`/people/${company.admin.id}/export`, { token: reader })
  expect(exported.status).toBe(200)
  expect(await exported.text()).not.toContain(`speaker-${company.admin.id}`)
})
