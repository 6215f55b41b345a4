// The searches and the metadata of the decision point.
import { beforeAll, describe, expect, test } from 'vitest'
import { type AccessWorld, accessWorld, INVOICE, invoice, OTHER_INVOICE, user } from '#tests/support/access-world'
import { accessRoutes } from './routes.ts'

let w: AccessWorld
beforeAll(async () => {
  w = await accessWorld(accessRoutes)
})

describe('search', () => {
  type Found = { results: { id: string; name: string }[]; page: { next_token: string; count: number }; context?: object }
  const search = async (what: string, body: object, authorization?: string): Promise<Found> =>
    (await w.post(`search/${what}`, body, authorization)).body as Found
  const readers = { subject: { type: 'user', id: 'ignored' }, action: { name: 'read' }, resource: invoice() }

  test('subjects: active principals with own or group bindings, in pages', async () => {
    const both = [w.pat.id, w.sam.id].sort()
    expect(await search('subject', readers)).toEqual({ results: both.map((id) => ({ type: 'user', id })), page: { next_token: '', count: 2 } })
    const first = await search('subject', { ...readers, page: { limit: 1 } })
    const second = await search('subject', { ...readers, page: { limit: 1, token: first.page.next_token } })
    expect([...first.results, ...second.results].map(({ id }) => id)).toEqual(both)
    expect(second.page.next_token).toBe('')
    const writers = { ...readers, action: { name: 'write' } }
    expect((await search('subject', writers)).results.map(({ id }) => id)).toEqual([w.pat.id])
    expect((await search('subject', { ...writers, resource: invoice(OTHER_INVOICE) })).results).toEqual([])
    const services = { subject: { type: 'service_account' }, action: { name: 'check' }, resource: { type: 'policy', id: '-' } }
    expect((await search('subject', services)).results.map(({ id }) => id)).toContain(w.backend.serviceAccountId)
    expect((await search('subject', { ...readers, subject: { type: 'alien' } })).results).toEqual([])
    for (const token of ['???', Buffer.from("' or 1=1").toString('base64url')])
      expect(await w.post('search/subject', { ...readers, page: { token } })).toMatchObject({ status: 400, body: { field: 'body.page.token' } })
    expect((await w.post('search/subject', readers, await w.signedIn(w.pat))).status).toBe(403)
  })

  test('resources and actions: for others with policy:check, and for the caller', async () => {
    const pats = await w.signedIn(w.pat)
    for (const authorization of [undefined, pats]) {
      const write = { subject: user(w.pat), action: { name: 'write' }, resource: { type: 'invoice' } }
      expect(await search('resource', write, authorization)).toEqual({
        results: [{ type: 'invoice', id: INVOICE }],
        page: { next_token: '', count: 1 },
        context: { tenant_wide: false },
      })
      expect((await search('resource', { ...write, action: { name: 'read' } }, authorization)).context).toEqual({ tenant_wide: true })
      const actions = await search('action', { subject: user(w.pat), resource: invoice() }, authorization)
      expect(actions).toEqual({ results: [{ name: 'read' }, { name: 'write' }], page: { next_token: '', count: 2 } })
    }
    const withFactor = { subject: user(w.pat), resource: invoice(OTHER_INVOICE), context: { mfa: true } }
    expect((await search('action', withFactor)).results).toEqual([{ name: 'delete' }, { name: 'read' }])
    expect((await w.post('search/action', withFactor, await w.signedIn(w.sam))).status).toBe(403)
  })
})

test('every endpoint in the metadata exists', async () => {
  const response = await w.app.request('/.well-known/authzen-configuration')
  const metadata = (await response.json()) as Record<string, string>
  const { policy_decision_point: base, ...endpoints } = metadata
  expect(base).toBe(w.app.config.BASE_URL)
  const paths = Object.values(endpoints).map((url) => url.slice((base ?? '').length))
  expect(paths.length).toBe(5)
  for (const path of paths) expect(accessRoutes.map(({ on }) => on)).toContain(`POST ${path}`)
})
