// A front end as a company would write it, using only the documented API: a sign-in page and a consent page. Its
// visitor is set beforehand, because no person uses it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { unmetChecks } from './unmet-checks.ts'

type Json = Readonly<Record<string, unknown>>
export type Visitor = { readonly email: string; readonly password: string; readonly grants?: readonly string[]; readonly says?: 'no' }

export const startCustomFrontEnd = async (issuer: string) => {
  let visitor: Visitor = { email: '', password: '' }
  let token = ''
  const asked: Json[] = []

  const call = async (path: string, body?: Json, bearer?: string): Promise<Json> => {
    const headers = {
      origin,
      accept: 'application/json',
      'content-type': 'application/json',
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    }
    const response = await unmetChecks(`${issuer}${path}`, { headers, ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }) })
    const answer = (await response.json()) as Json
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`)
    return answer
  }
  const signIn = async (login_challenge: string): Promise<unknown> => {
    const page = await call(`/authsec/hmgr/login/page-data?login_challenge=${login_challenge}`)
    asked.push(page)
    if (visitor.says === 'no' && visitor.email === '') return (await call('/challenges/login/reject', { login_challenge })).redirect_to
    const { email, password } = visitor
    const first = await call('/authsec/uflow/user/login', { client_id: page.client_id, email, password })
    const minted = await call('/authsec/uflow/auth/enduser/webauthn-callback', {
      email,
      tenant_id: first.tenant_id,
      mfa_verified: true,
      login_ticket: first.login_ticket,
    })
    token = String(minted.token ?? minted.access_token)
    return (await call('/authsec/hmgr/complete-local-login', { login_challenge }, token)).redirect_to
  }
  const consent = async (consent_challenge: string): Promise<unknown> => {
    asked.push(await call(`/challenges/consent?consent_challenge=${consent_challenge}`, undefined, token))
    if (visitor.says === 'no') return (await call('/challenges/consent/reject', { consent_challenge }, token)).redirect_to
    const grants = visitor.grants === undefined ? {} : { grant_scope: visitor.grants }
    return (await call('/challenges/consent/accept', { consent_challenge, ...grants }, token)).redirect_to
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', origin)
    try {
      const login = url.searchParams.get('login_challenge')
      const location = url.pathname === '/oidc/login' ? await signIn(login ?? '') : await consent(url.searchParams.get('consent_challenge') ?? '')
      response.writeHead(302, { location: String(location), connection: 'close' }).end()
    } catch (error) {
      response.writeHead(500, { connection: 'close' }).end(String(error))
    }
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    origin,
    /** The requests that it received, in order. */
    asked,
    visitedBy: (next: Visitor): void => {
      visitor = next
    },
    stop: (): void => void server.close(),
  }
}
export type CustomFrontEnd = Awaited<ReturnType<typeof startCustomFrontEnd>>
