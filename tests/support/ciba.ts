// Shared setup for tests of backchannel requests: an app with captured pushes, a client with its secrets, a person with a phone.
import { fixedClock } from '#shared/kernel/clock'
import type { Route } from '#shared/platform/http/route'
import { localPush } from '#shared/platform/outbox/push/local'
import { addClient } from './administration.ts'
import { type Company, type Person, startApp, TEST_START, type TestApp } from './app.ts'
import { bodyOf, textIn } from './sign-in.ts'

export const CIBA = '/authsec/uflow/auth/ciba'
export const TENANT_CIBA = '/authsec/uflow/auth/tenant/ciba'

export const startCiba = async (routes: readonly Route<never>[], options: Parameters<typeof startApp>[1] = {}) => {
  const push = localPush(fixedClock(TEST_START))
  const app = await startApp(routes, { ...options, extra: { push } })
  return { app, push }
}

export type CibaClient = { readonly clientId: string; readonly sdkClientId: string; readonly secret: string; readonly authorization: string }
/** A client of the company that can authenticate. */
export const newCibaClient = async (app: TestApp, company: Company, name = 'Shop'): Promise<CibaClient> => {
  const created = await addClient(app, company, { name })
  const { client_id, secret_id, sdk_client_id } = created as { client_id: string; secret_id?: string; sdk_client_id?: string }
  if (secret_id === undefined || sdk_client_id === undefined) throw new Error('the client has no secrets')
  return {
    clientId: client_id,
    secret: secret_id,
    sdkClientId: sdk_client_id,
    authorization: `Basic ${Buffer.from(`${client_id}:${secret_id}`).toString('base64')}`,
  }
}

export type Phone = { readonly person: Person; readonly session: string; readonly pushToken: string; readonly deviceId: string }
/** A person with a registered phone. */
export const newPhone = async (
  app: TestApp,
  person: Person,
  pushToken = `token-${app.ctx.random.id()}`,
  amr: readonly string[] = ['pwd'],
): Promise<Phone> => {
  const session = await app.token(person, amr)
  const added = await bodyOf(await app.request(`${CIBA}/register-device`, { token: session, body: { device_token: pushToken, platform: 'android' } }))
  return { person, session, pushToken, deviceId: textIn(added, 'device_id') }
}

type More = Readonly<Record<string, unknown>>
export const requestCiba = (app: TestApp, asker: CibaClient, email: string, more: More = {}): Promise<Response> =>
  app.request(`${TENANT_CIBA}/initiate`, { body: { client_id: asker.sdkClientId, email, ...more } })
export const requestCibaFor = async (app: TestApp, asker: CibaClient, email: string, more: More = {}): Promise<string> =>
  textIn(await bodyOf(await requestCiba(app, asker, email, more)), 'auth_req_id')
export const pollCiba = (app: TestApp, clientId: string, auth_req_id: string): Promise<Response> =>
  app.request(`${TENANT_CIBA}/token`, { body: { auth_req_id, client_id: clientId } })
export const answerCibaRequest = (app: TestApp, token: string, auth_req_id: string, more: More = { approved: true }): Promise<Response> =>
  app.request(`${TENANT_CIBA}/respond`, { token, body: { auth_req_id, ...more } })
