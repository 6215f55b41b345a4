// Requests that no client of ours would send, and their refusals.
import { problem } from '#shared/platform/http/problem'
import type { Route } from '#shared/platform/http/route'
import { startApp } from './app.ts'

type Headers = Readonly<Record<string, string>>
export type Raw = { readonly method?: string; readonly headers?: Headers; readonly body?: BodyInit }

export const JSON_HEADERS: Headers = { 'content-type': 'application/json' }

export const rawRequests = (routes: readonly Route<never>[]) => {
  const started = startApp(routes, { render: problem })
  const raw = async (path: string, { method = 'POST', headers = {}, body }: Raw = {}): Promise<Response> => {
    const { app } = await started
    const init = { method, headers, ...(body === undefined ? {} : { body, duplex: 'half' }) }
    return app.request(path, init, { peer: { address: '192.0.2.7', secure: false } })
  }
  const post = (path: string, body: BodyInit, headers: Headers = JSON_HEADERS): Promise<Response> => raw(path, { body, headers })
  return { raw, post }
}

/** Status, code and field of a refusal. */
export const disclosedIn = async (response: Response): Promise<unknown> => {
  const { code, field } = (await response.json()) as { code: string; field?: string }
  return { status: response.status, code, ...(field === undefined ? {} : { field }) }
}
