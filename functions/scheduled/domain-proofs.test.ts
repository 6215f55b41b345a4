import { expect, test } from 'vitest'
import { directory, forTenant } from '#db/engine/tenant'
import { findTenantByDomain, listDomains } from '#db/store/domains'
import { secondsAfter } from '#shared/kernel/clock'
import { startApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { tenantsRoutes } from '../tenants/routes.ts'
import { checkDomainProofs } from './domain-proofs.ts'

const DAY = 24 * 3600

const start = async () => {
  const app = await startApp(tenantsRoutes, { db: await ownDb() })
  const company = await app.company()
  const base = `/authsec/uflow/admin/tenants/${company.tenantId}/domains`
  const token = await app.token(company.admin)
  const domain = `d-${app.ctx.random.id().slice(-12)}.com`
  const claimed = await (await app.request(base, { token, body: { domain } })).json()
  const { txt_name: name, txt_value: value } = claimed.verification
  app.dns.set(name, [value])
  const post = async (what: string) => app.request(`${base}/${claimed.domain.id}/${what}`, { token: await app.token(company.admin), method: 'POST' })
  expect((await post('verify')).status).toBe(200)
  const run = () => checkDomainProofs({ ...app.ctx, resolver: app.dns }, secondsAfter(app.clock.now(), 60))
  const holder = () => findTenantByDomain(directory(app.db), domain)
  const row = async () =>
    (await listDomains(forTenant(app.db, company.tenantId), secondsAfter(app.clock.now(), -7 * DAY))).find((one) => one.domain === domain)
  const events = async () => (await app.events(company.tenantId)).filter(({ targetId }) => targetId === claimed.domain.id).map(({ event }) => event)
  const mails = async () => (await app.mailsTo(company.admin.email)).map(({ subject }) => subject).filter((subject) => /domain/.test(subject))
  return { app, company, domain, name, value, post, run, holder, row, events, mails }
}

test('a domain keeps its verification while the record exists', async () => {
  const { app, company, run, holder, row, events, mails } = await start()
  for (let day = 0; day < 20; day++) {
    app.clock.advance(DAY)
    expect(await run()).toMatchObject({ proved: 1, missing: 0, lost: 0 })
  }
  expect(await holder()).toBe(company.tenantId)
  expect(await row()).toMatchObject({ isVerified: true, lastCheckedAt: app.clock.now(), failureReason: null })
  expect([await events(), await mails()]).toEqual([['domain.verified', 'domain.claimed'], []])
})

test.each([['none'], [['authsec-domain-verification=another']]] as const)(
  'without the record (%j) a domain is kept for two weeks, its administrators are notified in time, and then the name is free',
  async (answer) => {
    const { app, company, domain, name, value, post, run, holder, row, events, mails } = await start()
    expect((await post('set-primary')).status).toBeLessThan(300)
    app.dns.set(name, answer)
    for (let day = 0; day < 14; day++) {
      expect(await run()).toMatchObject({ missing: 1, lost: 0 })
      expect(await holder()).toBe(company.tenantId)
      app.clock.advance(DAY)
    }
    expect(await mails()).toEqual([`${company.name}: a domain verification record is missing`])
    expect((await app.mailsTo(company.admin.email)).at(-1)?.text).toContain(value)
    expect(await run()).toMatchObject({ missing: 0, lost: 1 })
    expect(await holder()).toBeUndefined()
    expect(await row()).toMatchObject({ isVerified: false, isPrimary: false, failureReason: typeof answer === 'string' ? answer : 'mismatch' })
    const all = await listDomains(forTenant(app.db, company.tenantId), new Date(0))
    expect(all.filter(({ isPrimary }) => isPrimary).map((one) => one.domain)).toEqual([company.domain])
    expect(await mails()).toHaveLength(2)
    expect((await events()).filter((event) => event.startsWith('domain.proof'))).toEqual(['domain.proof_lost', 'domain.proof_missing'])
    // Another tenant may own it now; if none does, the same record verifies it again.
    expect(await run()).toMatchObject({ lost: 0 })
    app.dns.set(name, [value])
    expect((await post('verify')).status).toBe(200)
    expect(await findTenantByDomain(directory(app.db), domain)).toBe(company.tenantId)
  },
)

test('a record that reappears in time resets the two weeks', async () => {
  const { app, name, value, run, holder, events } = await start()
  for (const [answer, days] of [
    ['none', 13],
    [[value], 1],
    ['none', 13],
  ] as const) {
    app.dns.set(name, answer)
    for (let day = 0; day < days; day++) {
      await run()
      app.clock.advance(DAY)
    }
  }
  expect(await holder()).toBeDefined()
  expect((await events()).filter((event) => event.startsWith('domain.proof'))).toEqual([
    'domain.proof_missing',
    'domain.proof_found',
    'domain.proof_missing',
  ])
})

test('unreachable name servers neither remove a domain nor extend its time', async () => {
  const { app, name, run, holder, mails } = await start()
  app.dns.set(name, 'unreachable')
  for (let day = 0; day < 30; day++) {
    expect(await run()).toMatchObject({ unreachable: 1 })
    app.clock.advance(DAY)
  }
  expect([(await holder()) !== undefined, await mails()]).toEqual([true, []])
  app.dns.set(name, 'none')
  await run()
  app.dns.set(name, 'unreachable')
  app.clock.advance(14 * DAY)
  await run()
  app.dns.set(name, 'none')
  expect(await run()).toMatchObject({ lost: 1 })
})
