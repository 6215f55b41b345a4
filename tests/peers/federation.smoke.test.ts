// One sign-in with a certified provider over real sockets; the others are in federation.peer.ts.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bodyOf } from '../support/sign-in.ts'
import { type PeerWorld, startWorld } from './federation.ts'

let world: PeerWorld
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.upstream.stop())

test('a person signs in through a certified provider', async () => {
  const { app, company, upstream, dance, link } = world
  const person = await app.person(company)
  await link(person, 'ana', { issuer: upstream.url })
  await upstream.control({ accounts: { ana: { email: person.email, email_verified: true, name: 'Ana' } } })
  const { response } = await dance({ tenant_domain: company.domain }, 'ana')
  expect(await bodyOf(response)).toMatchObject({ email: person.email, token: expect.any(String) })
})
