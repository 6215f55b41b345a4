// A company whose decisions are requested over HTTP, for tests of the access group.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { putBinding, putGroup, putRole } from '#db/testing/access'
import { problem } from '#shared/platform/http/problem'
import type { Route } from '#shared/platform/http/route'
import { type Company, type Person, startApp, type TestApp } from './app.ts'
import { newBackend } from './backend.ts'

export const INVOICE = 'dddddddd-0000-4000-8000-000000000001'
export const OTHER_INVOICE = 'dddddddd-0000-4000-8000-000000000002'

/** A change of roles or bindings. */
export const changePolicy = <T>(app: TestApp, company: Company, work: (t: TenantTx) => Promise<T>): Promise<T> =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    const result = await work(t)
    return result
  })

export const user = (person: { readonly id: string }) => ({ type: 'user', id: person.id })
export const invoice = (id = INVOICE) => ({ type: 'invoice', id })
export const evaluationRequest = (subject: unknown, action: string, resource: unknown = invoice(), more: object = {}) => ({
  subject,
  action: { name: action },
  resource,
  ...more,
})

type Answer = { readonly status: number; readonly body: never; readonly headers: Headers }

/** Pat reads every invoice, updates one, and deletes with a second factor; Sam reads through a group. A backend may ask about both. */
export const accessWorld = async (routes: readonly Route<never>[]) => {
  const app = await startApp(routes, { render: problem })
  const company = await app.company()
  const [pat, sam] = [await app.person(company), await app.person(company)]
  const backend = await newBackend(app, company, ['policy:check'])
  const at = app.clock.now()
  const made = await changePolicy(app, company, async (t) => {
    const reader = await putRole(t, 'reader', ['invoice:read'], at)
    const group = await putGroup(t, 'readers', [sam.id], at)
    return {
      wide: await putBinding(t, reader, { userId: pat.id }, at),
      scoped: await putBinding(t, await putRole(t, 'writer', ['invoice:write'], at), { userId: pat.id }, at, { scope: ['invoice', INVOICE] }),
      careful: await putBinding(t, await putRole(t, 'deleter', ['invoice:delete'], at), { userId: pat.id }, at, {
        conditions: { mfa_required: true },
      }),
      viaGroup: await putBinding(t, reader, { groupId: group }, at),
      group,
    }
  })
  /** Asks as the backend by default. */
  const post = async (path: string, body: unknown, authorization = backend.authorization): Promise<Answer> => {
    const response = await app.request(`/access/v1/${path}`, {
      body,
      headers: { authorization, 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' },
    })
    return { status: response.status, body: (await response.json()) as never, headers: response.headers }
  }
  const signedIn = async (person: Person): Promise<string> => `Bearer ${await app.token(person)}`
  return { app, company, backend, pat, sam, post, signedIn, ...made }
}
export type AccessWorld = Awaited<ReturnType<typeof accessWorld>>
