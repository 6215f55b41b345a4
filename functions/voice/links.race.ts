// Concurrent links cannot exceed the limit of a person.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findVoiceLinks } from '#db/store/voice'
import { startApp } from '#tests/support/app'
import { voiceRoutes } from './routes.ts'

test('of fifty concurrent links twenty succeed and the others get a conflict', async () => {
  const app = await startApp(voiceRoutes)
  const company = await app.company()
  const person = await app.person(company)
  const token = await app.token(person)
  const link = (n: number) =>
    app.request('/authsec/uflow/auth/voice/link', { token, body: { voice_platform: 'alexa', voice_user_id: `speaker-${n}` } })
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => link(n)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(30)
  expect(await findVoiceLinks(forTenant(app.db, company.tenantId), person.id)).toHaveLength(20)
})
