// Concurrent registrations never exceed the number of devices that a person may have.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findPushDevices } from '#db/store/push-devices'
import { CIBA, startCiba } from '#tests/support/ciba'
import { cibaRoutes } from './routes.ts'

test('of 50 concurrent registrations, each in its own session, ten succeed', async () => {
  const { app } = await startCiba(cibaRoutes)
  const company = await app.company()
  const person = await app.person(company)
  const tokens: string[] = []
  for (let n = 0; n < 50; n++) tokens.push(await app.token(person))
  const answers = await Promise.all(
    tokens.map((token, n) => app.request(`${CIBA}/register-device`, { token, body: { device_token: `phone-${n}-${person.id}`, platform: 'ios' } })),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
  expect(await findPushDevices(forTenant(app.db, company.tenantId), person.id, true)).toHaveLength(10)
})
