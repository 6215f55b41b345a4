// Attacks on the device grant. Each is refused without disclosing anything and changes no row.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { setClientActive } from '#db/store/clients'
import { findSessions, revokeSessions } from '#db/store/sessions'
import { endTenantSessions } from '#db/store/tenants'
import { ALPHABET, newUserCode, userCodeOf } from '#shared/domains/device-authorization/user-code'
import { addClient } from '#tests/support/administration'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { beginDevice, beginDeviceOf, type Codes, DEVICE, pollDevice, verifyDevice } from '#tests/support/grants'
import { unchanged } from '#tests/support/rows'
import { bodyOf, change, configure, enrol, eventsOf, outcomeOf, setStatus } from '#tests/support/sign-in'
import { deviceRoutes } from './routes.ts'

const start = (options: Parameters<typeof startApp>[1] = {}) => startApp(deviceRoutes, options)
const errorOf = async (response: Response) => [response.status, (await bodyOf(response)).error]
const EXPIRED = [400, 'expired_token']

/** Two tenants, a device of the first, and a session in the second. */
const twoCompanies = async (options: Parameters<typeof startApp>[1] = {}) => {
  const app = await start(options)
  const [acme, globex] = [await app.company(), await app.company('globex')]
  return { app, acme, globex, codes: await beginDeviceOf(app, acme), foreign: await app.token(globex.admin) }
}

describe('another tenant', () => {
  test.each(['verify', 'authorize'])('%s: a code of another tenant is as unknown as a missing one and counts as a wrong attempt', async (route) => {
    const { app, acme, globex, codes, foreign } = await twoCompanies()
    const decide = (user_code: string) => app.request(`${DEVICE}/${route}`, { token: foreign, body: { user_code, approve: true, approved: true } })
    const theirs = await unchanged(app, [acme, globex], async () => outcomeOf(await decide(codes.userCode)))
    expect(theirs).toEqual(await outcomeOf(await decide('ZZZZ-9999')))
    expect(theirs.status).toBeGreaterThanOrEqual(400)
    expect(await eventsOf(app, globex.tenantId, `device.${route}`)).toEqual(
      Array(2).fill(`refused: ${route === 'verify' ? 'invalid_user_code' : 'user_code_unknown'}`),
    )
    expect(await errorOf(await pollDevice(app, codes, acme.clientId))).toEqual([200, 'authorization_pending'])
  })

  test('a grant approved in one tenant cannot be decided in another', async () => {
    const { app, acme, globex, foreign } = await twoCompanies()
    const codes = await beginDevice(app)
    await verifyDevice(app, acme.admin, codes.userCode)
    const answer = await unchanged(app, [acme, globex], () =>
      app.request(`${DEVICE}/verify`, { token: foreign, body: { user_code: codes.userCode, approve: false } }),
    )
    expect(answer.status).toBe(400)
    expect(await bodyOf(await pollDevice(app, codes))).toMatchObject({ tenant_id: acme.tenantId, user_id: acme.admin.id })
  })

  test('tenant_domain must belong to the tenant of the client', async () => {
    const { app, acme, globex } = await twoCompanies()
    const begin = (tenant_domain: string) => app.request(`${DEVICE}/code`, { body: { client_id: acme.clientId, tenant_domain } })
    expect(await unchanged(app, [acme, globex], async () => (await begin(globex.domain)).status)).toBe(400)
    expect((await begin(acme.domain)).status).toBe(200)
  })
})

describe('the device code', () => {
  test('with another client or none it is unknown, and stays valid for its own client', async () => {
    const { app, acme, globex, codes } = await twoCompanies()
    const other = await addClient(app, acme, { name: 'Other' })
    await verifyDevice(app, acme.admin, codes.userCode)
    for (const clientId of [other.client_id, globex.clientId, undefined, 'nonsense']) {
      expect(await unchanged(app, [acme, globex], async () => errorOf(await pollDevice(app, codes, clientId)))).toEqual(EXPIRED)
    }
    expect(await errorOf(await pollDevice(app, { deviceCode: 'f'.repeat(64) }, acme.clientId))).toEqual(EXPIRED)
    expect((await pollDevice(app, codes, acme.clientId)).status).toBe(200)
  })

  test('works once', async () => {
    const { app, acme, codes } = await twoCompanies()
    await verifyDevice(app, acme.admin, codes.userCode)
    expect((await pollDevice(app, codes, acme.clientId)).status).toBe(200)
    expect(await unchanged(app, [acme], async () => errorOf(await pollDevice(app, codes, acme.clientId)))).toEqual(EXPIRED)
  })

  test('expires after five minutes, approved or not', async () => {
    const { app, acme, codes } = await twoCompanies()
    const late = await beginDeviceOf(app, acme)
    await verifyDevice(app, acme.admin, codes.userCode)
    app.clock.advance(300)
    for (const expired of [codes, late])
      expect(await unchanged(app, [acme], async () => errorOf(await pollDevice(app, expired, acme.clientId)))).toEqual(EXPIRED)
    const token = await app.token(acme.admin)
    const answer = await unchanged(app, [acme], () => app.request(`${DEVICE}/verify`, { token, body: { user_code: late.userCode, approve: true } }))
    expect(answer.status).toBe(400)
  })

  test('cannot be polled with another grant type', async () => {
    const { app, acme, codes } = await twoCompanies()
    await verifyDevice(app, acme.admin, codes.userCode)
    const body = { device_code: codes.deviceCode, client_id: acme.clientId, grant_type: 'authorization_code' }
    expect(await unchanged(app, [acme], async () => errorOf(await app.request(`${DEVICE}/token`, { body })))).toEqual([400, 'unsupported_grant_type'])
  })

  test('is stored only as a digest, like the user code', async () => {
    const { app, acme, codes } = await twoCompanies()
    const rows = await forTenant(app.db, acme.tenantId).run({
      text: `select to_jsonb(d)::text, to_jsonb(g)::text from authsec.device_code_directory d
      join authsec.device_grants g on g.id = d.grant_id where d.tenant_id = $1`,
      params: [acme.tenantId],
      arrays: true,
    })
    expect(rows).toHaveLength(1)
    const text = JSON.stringify(rows)
    for (const secret of [codes.deviceCode, codes.userCode, codes.userCode.replace('-', '')])
      expect(text.toUpperCase()).not.toContain(secret.toUpperCase())
  })
})

describe('the user code', () => {
  test('after ten wrong codes an address is refused even for a right one; other addresses are not', async () => {
    const { app, codes } = await twoCompanies({ env: { RATE_LIMIT: 'on' }, cache: 'by-clock' })
    const readInfo = async (user_code: string, address: string) =>
      (await app.request(`${DEVICE}/activate/info?user_code=${user_code}`, { address })).status
    for (let n = 0; n < 10; n++) {
      expect(await readInfo(`AAAA-AAA${ALPHABET[n]}`, '198.51.100.7')).toBe(400)
      expect(await readInfo(codes.userCode, '198.51.100.7')).toBe(n === 9 ? 429 : 200)
      app.clock.advance(10)
    }
    expect(await readInfo('AAAA-AAAZ', '198.51.100.7')).toBe(429)
    expect(await readInfo(codes.userCode, '198.51.100.8')).toBe(200)
  })

  test('wrong codes on all routes count together', async () => {
    const { app, acme } = await twoCompanies({ env: { RATE_LIMIT: 'on' }, cache: 'by-clock' })
    const codes = await beginDevice(app)
    const token = await app.token(acme.admin)
    for (let n = 0; n < 10; n++) {
      const body = { user_code: `BBBB-BBB${ALPHABET[n]}`, approve: true, approved: true }
      expect([400, 404]).toContain((await app.request(`${DEVICE}/${n % 2 === 0 ? 'verify' : 'authorize'}`, { token, body })).status)
      app.clock.advance(12)
    }
    const right = await unchanged(app, [acme], () => app.request(`${DEVICE}/verify`, { token, body: { user_code: codes.userCode, approve: true } }))
    expect(right.status).toBe(429)
    expect(right.headers.get('retry-after')).toMatch(/^\d+$/)
  })

  test('distributed guessing logs an alarm and locks no one out', async () => {
    const { app, codes } = await twoCompanies({ env: { RATE_LIMIT: 'on' }, cache: 'by-clock' })
    const readInfo = (user_code: string, n: number) =>
      app.request(`${DEVICE}/activate/info?user_code=${user_code}`, { address: `198.51.${Math.floor(n / 200)}.${n % 200}` })
    for (let n = 0; n < 201; n++) await readInfo('CCCC-CCCC', n)
    expect(app.log.lines.filter((line) => line.includes('user_codes_are_guessed'))).toHaveLength(1)
    expect((await readInfo(codes.userCode, 900)).status).toBe(200)
  })

  test('every character is equally likely, and similar characters are not used', () => {
    expect(ALPHABET).toMatch(/^[^ILO01]{31}$/)
    const counts = new Map<string, number>()
    // Over all byte values, 248 of 256 are used, eight for each character.
    let next = 0
    const bytes = () => Uint8Array.from({ length: 8 }, () => next++ % 256)
    for (let n = 0; n < 31; n++)
      for (const character of newUserCode({ bytes }).replace('-', '')) counts.set(character, (counts.get(character) ?? 0) + 1)
    expect([...counts.values()]).toEqual(Array(31).fill(8))
    for (const text of ['abcd-efgh', ' ABCD EFGH ', 'abcdefgh']) expect(userCodeOf(text)).toBe('ABCD-EFGH')
    for (const text of ['ABCD-EFG', 'ABCD-EFGHJ', 'ABCD-EFG0', 'ABCD-EFGI', 'АBCD-EFGH', '']) expect(userCodeOf(text)).toBeUndefined()
  })

  test('a decision needs a session', async () => {
    const { app, acme, codes } = await twoCompanies()
    for (const route of ['verify', 'authorize']) {
      const answer = await unchanged(app, [acme], () =>
        app.request(`${DEVICE}/${route}`, { body: { user_code: codes.userCode, approve: true, approved: true } }),
      )
      expect(answer.status).toBe(401)
    }
  })

  test('a decision without `approve` denies', async () => {
    const { app, acme, codes } = await twoCompanies()
    await app.request(`${DEVICE}/verify`, { token: await app.token(acme.admin), body: { user_code: codes.userCode } })
    expect(await errorOf(await pollDevice(app, codes, acme.clientId))).toEqual([403, 'access_denied'])
  })
})

/** Approves, runs a change, and polls. */
const pollAfter = async (between: (app: TestApp, company: Company, codes: Codes) => Promise<unknown>) => {
  const app = await start()
  const company = await app.company()
  const codes = await beginDeviceOf(app, company)
  await verifyDevice(app, company.admin, codes.userCode)
  app.clock.advance(2)
  await between(app, company, codes)
  const t = forTenant(app.db, company.tenantId)
  const sessions = (await findSessions(t, company.admin.id, app.clock.now())).length
  const answer = await errorOf(await pollDevice(app, codes, company.clientId))
  expect((await findSessions(t, company.admin.id, app.clock.now())).length).toBe(sessions)
  return { app, company, codes, answer }
}

describe('changes between the approval and the poll', () => {
  test.each<[string, Parameters<typeof pollAfter>[0]]>([
    ['the person was disabled', (app, { admin }) => change(app, admin, { active: false } as never)],
    ['the person was deleted', (app, { admin }) => change(app, admin, { deletedAt: app.clock.now() })],
    ['a reset was demanded', (app, { admin }) => change(app, admin, { passwordResetRequired: true })],
    ['the password was reset', (app, { admin }) => change(app, admin, { validFrom: app.clock.now() })],
    ['a factor was enrolled that the approving session did not have', (app, { admin }) => enrol(app, admin)],
    ['the tenant demands a second factor', (app, company) => configure(app, company, { requireSecondFactor: true })],
    ['the tenant was suspended', (app, company) => setStatus(app, company, 'suspended')],
    [
      'all sessions of the tenant were ended',
      (app, { tenantId }) => atomically(forTenant(app.db, tenantId), (t) => endTenantSessions(t, app.clock.now())),
    ],
    [
      'the client was switched off',
      (app, { tenantId, clientId }) => atomically(forTenant(app.db, tenantId), (t) => setClientActive(t, clientId, false, app.clock.now())),
    ],
    [
      'the person signed out of the approving session',
      (app, { tenantId, admin }) => atomically(forTenant(app.db, tenantId), (t) => revokeSessions(t, admin.id, app.clock.now(), 'signed_out')),
    ],
    [
      'the approving session was ended',
      (app, { tenantId, admin }) => atomically(forTenant(app.db, tenantId), (t) => revokeSessions(t, admin.id, app.clock.now(), 'ended_by_owner')),
    ],
  ])('no token is issued when %s', async (_, between) => {
    const { app, company, codes, answer } = await pollAfter(between)
    expect(answer).toEqual([403, 'access_denied'])
    expect(await errorOf(await pollDevice(app, codes, company.clientId))).toEqual([403, 'access_denied'])
    expect(await eventsOf(app, company.tenantId, 'device.token')).toContain('device_grant.denied')
  })

  test('an exhausted sign-in quota keeps the grant for a later poll', async () => {
    const app = await start()
    const company = await app.company()
    const codes = await beginDeviceOf(app, company)
    await verifyDevice(app, company.admin, codes.userCode)
    await configure(app, company, { quotas: { signInsPerMinute: 0 } })
    expect((await unchanged(app, [company], () => pollDevice(app, codes, company.clientId))).status).toBe(429)
    await configure(app, company, { quotas: {} })
    expect((await pollDevice(app, codes, company.clientId)).status).toBe(200)
  })
})

test('an unknown or inactive client cannot start a grant', async () => {
  const { app, acme } = await twoCompanies()
  for (const client_id of [app.ctx.random.id(), 'nonsense']) {
    expect(await unchanged(app, [acme], async () => (await app.request(`${DEVICE}/code`, { body: { client_id } })).status)).toBe(400)
  }
})
