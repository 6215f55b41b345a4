import { expect, test } from 'vitest'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { fixedClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { createSigningKeys } from '#shared/platform/tokens/signing-keys'
import { ownDb } from '#tests/support/database'
import { localMail } from './mail/local.ts'
import { enqueueMail, sendDueMail } from './outbox.ts'

test('parallel senders send each message once', async () => {
  const db = await ownDb()
  const clock = fixedClock('2026-03-04T05:06:07Z')
  const random = systemRandom(clock)
  const mail = localMail(clock)
  const keyring = createKeyring({ masterKeys: [{ id: 'm1', key: random.bytes(32) }], clock, random })
  const signingKeys = createSigningKeys({ db, keyring, clock, record: async () => undefined })
  const ctx = {
    db,
    clock,
    random,
    keyring,
    signingKeys,
    deliverLogoutToken: async () => undefined,
    log: memoryLog(clock.now),
    mail,
    config: readConfig({ BASE_URL: 'https://id.test' }),
  }
  const requestOrigin = { at: clock.now(), device: 'Firefox', address: '192.0.2.7' }
  const tenants = Array.from({ length: 4 }, () => asTenantId(random.id()))
  for (let n = 0; n < 120; n++) {
    const tenant = tenants[n % tenants.length]
    if (tenant === undefined) throw new Error('no tenant')
    await atomically(forTenant(db, tenant), (t) =>
      enqueueMail(t, ctx, { to: `${n}@acme.test`, tenantName: 'Acme', template: 'password_changed', data: { requestOrigin } }),
    )
  }
  const counts = await Promise.all(Array.from({ length: 6 }, () => sendDueMail(ctx)))
  expect(counts.map(({ sent }) => sent).reduce((sum, sent) => sum + sent, 0)).toBe(120)
  expect(counts.filter(({ sent }) => sent > 0).length).toBeGreaterThan(1)
  const recipients = mail.outbox.map(({ to }) => to)
  expect(recipients).toHaveLength(120)
  expect(new Set(recipients).size).toBe(120)
  expect(ctx.log.lines).toEqual([])
})
