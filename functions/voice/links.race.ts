// Fifty links at once are as many as a person may have.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findVoiceLinks } from '#db/store/voice'
import { startApp } from '#tests/support/app'
import { voiceRoutes } from './routes.ts'

test('fifty speakers are linked at once: twenty are, the others are told that there are enough', async () => {
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
