// Concurrent requests: each ceremony succeeds once, and a copied key is detected.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findPasskeys } from '#db/store/passkeys'
import { startApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import { givePasskey, loginTicket, named, optionsOf, PAGE, postPasskey } from '#tests/support/passkeys'
import { webauthnRoutes } from './routes.ts'

const AT_ONCE = 20

const world = async () => {
  const app = await startApp(webauthnRoutes)
  const company = await app.company()
  return { app, company, person: await app.person(company), device: authenticator(PAGE) }
}
const statuses = async (calls: readonly Promise<Response>[]): Promise<number[]> => (await Promise.all(calls)).map(({ status }) => status).toSorted()
const oneOf = (won: number, lost: number): number[] => [won, ...Array.from({ length: AT_ONCE - 1 }, () => lost)]
const times = (call: () => Promise<Response>): Promise<Response>[] => Array.from({ length: AT_ONCE }, call)

test('concurrent registrations of one ceremony: one succeeds', async () => {
  const { app, person, device } = await world()
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { ticket }))
  const body = { ...named(person), session_id: options.session_id, credential: device.create(options) }
  const seen = await statuses(times(() => postPasskey(app, '/finishRegistration', body, { ticket })))
  expect(seen.filter((status) => status === 200)).toHaveLength(1)
  // A later request finds an enrolled factor, or no ceremony.
  expect(seen.filter((status) => status === 400 || status === 401)).toHaveLength(AT_ONCE - 1)
  expect(await findPasskeys(forTenant(app.db, person.tenantId), person.id)).toHaveLength(1)
})

test('concurrent authentications of one ceremony: one succeeds', async () => {
  const { app, person, device } = await world()
  await givePasskey(app, person, device)
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
  const body = { ...named(person), session_id: options.session_id, credential: device.get(options) }
  expect(await statuses(times(() => postPasskey(app, '/finishAuthentication', body, { ticket })))).toEqual(oneOf(200, 400))
})

test('concurrent sign-ins with one passkey ceremony: one succeeds', async () => {
  const { app, person, device } = await world()
  await givePasskey(app, person, device)
  const options = await optionsOf(await postPasskey(app, '/passkey/begin', {}))
  const body = { session_id: options.session_id, credential: device.get(options) }
  expect(await statuses(times(() => postPasskey(app, '/passkey/finish', body)))).toEqual(oneOf(200, 400))
})

test('two copies of a key with the same counter: the second is refused and the alarm is raised once', async () => {
  const { app, person, device } = await world()
  await givePasskey(app, person, device)
  const attempts = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const ticket = await loginTicket(app, person)
      const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
      return { ticket, body: { ...named(person), session_id: options.session_id, credential: device.get(options, { counter: 50 }) } }
    }),
  )
  const seen = await statuses(attempts.map(({ ticket, body }) => postPasskey(app, '/finishAuthentication', body, { ticket })))
  expect(seen).toEqual([200, 401, 401, 401, 401, 401])
  expect(await app.events(person.tenantId, { event: 'passkey.counter_regressed' })).toHaveLength(1)
  expect((await app.mailsTo(person.email)).filter(({ subject }) => subject.includes('may have been copied'))).toHaveLength(1)
})

test('one credential registered by two people concurrently belongs to one of them', async () => {
  const { app, company } = await world()
  const credentialId = Buffer.alloc(32, 8).toString('base64url')
  const calls = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const person = await app.person(company)
      const ticket = await loginTicket(app, person)
      const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { ticket }))
      const credential = authenticator(PAGE).create(options, { credentialId })
      return { ticket, body: { ...named(person), session_id: options.session_id, credential } }
    }),
  )
  const seen = await statuses(calls.map(({ ticket, body }) => postPasskey(app, '/finishRegistration', body, { ticket })))
  expect(seen).toEqual([200, 400, 400, 400, 400, 400])
})
