import { expect, test } from 'vitest'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { type AuditRow, findAuditEvents } from '#db/store/audit-events'
import { openDetails, readDetails } from '#shared/domains/audit/details'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import { startApp, type TestApp } from '#tests/support/app'
import { createRefusalAudit } from './refusal-audit.ts'

/** An audit log shared by all tests; a unique route name selects this test's rows. */
const setUp = async () => {
  const app = await startApp([])
  const route = `test.${app.ctx.random.id()}`
  const request = (address = '192.0.2.1'): RequestInfo => ({
    id: 'r-1',
    address,
    userAgent: 'curl/8',
    method: 'GET',
    page: '/',
    origin: undefined,
    host: '',
    secure: false,
    place: '',
    route,
    emits: 'nothing',
    cookie: () => undefined,
    header: () => undefined,
  })
  const rows = async (tenantId: string = SYSTEM_TENANT): Promise<AuditRow[]> =>
    (await findAuditEvents(forTenant(app.db, tenantId as typeof SYSTEM_TENANT), { event: 'request.refused', limit: 100_000 })).filter(
      (row) => row.route === route,
    )
  return { app, request, rows, refusals: createRefusalAudit(app.ctx) }
}
const addressOf = async (app: TestApp, row: AuditRow | undefined): Promise<string | undefined> => {
  const t = forTenant(app.db, SYSTEM_TENANT)
  if (!row?.sealed) return undefined
  return readDetails((await openDetails(app.ctx, t, row)) ?? '{}').address
}
const wrong = (refusal?: { tenantId?: string; userId?: string }): AppError =>
  new AppError('invalid_credentials', undefined, refusal === undefined ? {} : { refusal: { ...refusal, event: 'user.signed_in' } })
const counts = (rows: readonly AuditRow[]): number[] => rows.map(({ count }) => count).toSorted()

test('the first refusal of an anonymous caller is written at once, further ones of the minute as one count afterwards', async () => {
  const { app, request, rows, refusals } = await setUp()
  for (let n = 0; n < 5; n++) await refusals.note(wrong(), request(), undefined)
  expect(counts(await rows())).toEqual([1])
  await refusals.settle()
  expect(counts(await rows())).toEqual([1])
  app.clock.advance(60)
  await refusals.settle()
  await refusals.settle()
  expect(counts(await rows())).toEqual([1, 4])
  const [row] = await rows()
  expect(row).toMatchObject({ actorType: 'anonymous', actorId: null, outcome: 'refused', reason: 'invalid_credentials' })
  expect(await addressOf(app, row)).toBe('192.0.2.1')
  await refusals.note(wrong(), request(), undefined)
  expect(counts(await rows())).toEqual([1, 1, 4])
})

test('addresses and codes are counted separately; addresses of one IPv6 network together', async () => {
  const { request, rows, refusals } = await setUp()
  for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'])
    await refusals.note(wrong(), request(address), undefined)
  await refusals.note(new AppError('rate_limited'), request(), undefined)
  expect(await rows()).toHaveLength(5)
  await refusals.settle(true)
  expect(counts(await rows())).toEqual([1, 1, 1, 1, 1, 1])
})

test('refusals are counted per account, but the account does not decide whether one is written at once', async () => {
  const { app, request, rows, refusals } = await setUp()
  const { tenantId } = await app.company()
  const [ana, bo] = [app.ctx.random.id(), app.ctx.random.id()]
  await refusals.note(wrong({ tenantId: SYSTEM_TENANT }), request(), undefined)
  for (const userId of [ana, bo, bo]) await refusals.note(wrong({ tenantId, userId }), request(), undefined)
  expect([counts(await rows()), counts(await rows(tenantId))]).toEqual([[1], []])
  await refusals.settle(true)
  const settled = (await rows(tenantId)).map(({ targetId, count, subjectId }) => ({ targetId, count, subjectId }))
  expect(settled.toSorted((a, b) => a.count - b.count)).toEqual([
    { targetId: ana, count: 1, subjectId: ana },
    { targetId: bo, count: 2, subjectId: bo },
  ])
})

test('refusals of a signed-in person are written individually in the tenant', async () => {
  const { app, request, rows, refusals } = await setUp()
  const ana = await app.person(await app.company())
  const caller = {
    kind: 'user',
    tenantId: ana.tenantId,
    userId: ana.id,
    sessionId: app.ctx.random.id(),
    clientId: undefined,
  } as Partial<User> as User
  for (let n = 0; n < 3; n++) await refusals.note(new AppError('insufficient_scope'), request(), caller)
  expect(counts(await rows(ana.tenantId))).toEqual([1, 1, 1])
  expect((await rows(ana.tenantId))[0]).toMatchObject({
    actorType: 'user',
    actorId: ana.id,
    sessionId: caller.sessionId,
    reason: 'insufficient_scope',
  })
})

test('only refusals are recorded; a refusal named by a rule is recorded whatever its status', async () => {
  const { request, rows, refusals } = await setUp()
  for (const code of ['not_found', 'invalid_request', 'internal', 'unavailable'] as const)
    await refusals.note(new AppError(code), request(), undefined)
  expect(await rows()).toEqual([])
  await refusals.note(new AppError('invalid_code', undefined, { refusal: { event: 'user.email_changed' } }), request(), undefined)
  expect((await rows())[0]).toMatchObject({ reason: 'invalid_code', targetType: 'event', targetId: 'user.email_changed' })
})

test('callers beyond the bound are counted by code, and a request settles a bounded number of rows', async () => {
  const { app, request, rows } = await setUp()
  const refusals = createRefusalAudit(app.ctx, { folded: 3, settledAtOnce: 2 })
  const { tenantId } = await app.company()
  const nameless = async (): Promise<number[]> =>
    (await findAuditEvents(forTenant(app.db, SYSTEM_TENANT), { event: 'request.refused', limit: 100_000 }))
      .filter((row) => row.route === null && row.reason === 'mfa_verification_failed')
      .map(({ count }) => count)
  const error = () =>
    new AppError('mfa_verification_failed', undefined, { refusal: { tenantId, userId: app.ctx.random.id(), event: 'session.created' } })
  for (let n = 0; n < 6; n++) await refusals.note(error(), request(), undefined)
  app.clock.advance(60)
  await refusals.settle()
  expect([counts(await rows(tenantId)), await nameless()]).toEqual([[1, 1, 1], []])
  await refusals.settle()
  expect([counts(await rows(tenantId)), await nameless()]).toEqual([[1, 1, 1, 1], [2]])
})

test('an audit event that cannot be written is logged and does not fail the request', async () => {
  const { app, request } = await setUp()
  const keyring = { ...app.ctx.keyring, seal: () => Promise.reject(new Error('no key')) }
  await createRefusalAudit({ ...app.ctx, keyring }).note(wrong(), request(), undefined)
  expect(JSON.stringify(app.log.lines)).toContain('refusal_not_recorded')
})
