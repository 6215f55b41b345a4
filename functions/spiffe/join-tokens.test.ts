// Who may make join tokens, how long they live, and that their secrets are shown once.
import { expect, test } from 'vitest'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { attestorOf, JKT, type Json, NO_NETWORK, storeAttestor } from '#tests/support/attestation'
import { spiffeRoutes } from './routes.ts'

const start = async () => {
  const app = await startApp(spiffeRoutes, { render: problem, extra: { outbound: NO_NETWORK } })
  const company = await app.company()
  const attestor = await storeAttestor(app, attestorOf(app, company.tenantId, 'join_token'))
  const full = await app.token(company.admin)
  const partial = await app.token(await app.person(company, ['admin:access', 'spire:manage']))
  const call = async (token: string, method: string, path: string, body?: Json) => {
    const response = await app.request(path, { method, token, ...(body === undefined ? {} : { body }) })
    return { status: response.status, body: response.status === 204 ? {} : await response.json() }
  }
  const events = async () => (await app.events(company.tenantId)).map(({ event }) => event).filter((event) => event.startsWith('join_token.'))
  return { app, company, attestor, full, partial, call, events }
}

test('a join token is shown once, works once and can be deleted', async () => {
  const w = await start()
  const made = await w.call(w.full, 'POST', '/spiffe/join-tokens', { attestor_id: w.attestor.id, description: 'web-1', expires_in: 3600 })
  expect(made).toMatchObject({
    status: 201,
    body: { attestor_id: w.attestor.id, description: 'web-1', used_at: null, selector: `join:id:${made.body.id}` },
  })
  const { token, ...shown } = made.body
  expect(token).toMatch(/^[\w-]{43}$/)
  const tried = () => w.call(w.full, 'POST', `/spiffe/attestors/${w.attestor.id}/try`, { evidence: token, jkt: JKT })
  // A dry run does not use it.
  for (let n = 0; n < 2; n++) expect((await tried()).body).toMatchObject({ accepted: true, selectors: [`join:id:${shown.id}`] })
  expect((await w.call(w.full, 'GET', '/spiffe/join-tokens')).body).toEqual([shown])
  expect((await w.call(w.full, 'DELETE', `/spiffe/join-tokens/${shown.id}`)).status).toBe(204)
  expect((await tried()).body).toMatchObject({ accepted: false, failed_check: 'join_token' })
  expect((await w.call(w.full, 'DELETE', `/spiffe/join-tokens/${shown.id}`)).body.code).toBe('not_found')
  expect(await w.events()).toEqual(['join_token.deleted', 'join_token.created'])
  const rows = await w.app.db.engine.one(
    { role: 'authsec_app', tenantId: w.company.tenantId },
    { text: 'select * from authsec.join_tokens', params: [], arrays: true },
  )
  expect(JSON.stringify(rows)).not.toContain(token)
})

test('a join token lives for an hour at most, and belongs to an attestor for join tokens of the tenant', async () => {
  const w = await start()
  const github = await storeAttestor(w.app, attestorOf(w.app, w.company.tenantId, 'github_actions', { rules: { repository_id: '74' } }))
  const globex = await w.app.company('globex')
  const foreign = await storeAttestor(w.app, attestorOf(w.app, globex.tenantId, 'join_token'))
  const refused = async (body: Json) => (await w.call(w.full, 'POST', '/spiffe/join-tokens', { attestor_id: w.attestor.id, ...body })).body
  expect(await refused({ expires_in: 3601 })).toMatchObject({ code: 'invalid_request', field: 'body.expires_in' })
  for (const id of [github.id, foreign.id, w.app.ctx.random.id()])
    expect(await refused({ attestor_id: id })).toMatchObject({ code: 'invalid_request', field: 'body.attestor_id' })
  expect((await w.call(w.full, 'GET', '/spiffe/join-tokens')).body).toEqual([])
  expect(await w.events()).toEqual([])
})

test('only a holder of the whole administrator role makes join tokens', async () => {
  const w = await start()
  expect((await w.call(w.partial, 'POST', '/spiffe/join-tokens', { attestor_id: w.attestor.id })).body.code).toBe('cannot_grant')
  expect((await w.call(w.partial, 'GET', '/spiffe/join-tokens')).body).toEqual([])
  expect(await w.events()).toEqual([])
})

test('join tokens are listed page by page, and end with their attestor', async () => {
  const w = await start()
  for (let n = 0; n < 3; n++) {
    w.app.clock.advance(1)
    await w.call(w.full, 'POST', '/spiffe/join-tokens', { attestor_id: w.attestor.id, description: `t-${n}` })
  }
  const page = await w.app.request('/spiffe/join-tokens?limit=2', { token: w.full })
  expect((await page.json()).map(({ description }: { description: string }) => description)).toEqual(['t-2', 't-1'])
  const [, next = ''] = /<\?(.*)>; rel="next"/.exec(page.headers.get('link') ?? '') ?? []
  const rest = await w.call(w.full, 'GET', `/spiffe/join-tokens?${next}`)
  expect(rest.body.map(({ description }: { description: string }) => description)).toEqual(['t-0'])
  expect((await w.call(w.full, 'DELETE', `/spiffe/attestors/${w.attestor.id}`)).status).toBe(204)
  expect((await w.call(w.full, 'GET', '/spiffe/join-tokens')).body).toEqual([])
})
