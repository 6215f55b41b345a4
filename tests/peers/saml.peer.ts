// pysaml2 as identity provider: it reads our metadata, checks the signature of our request, and answers signed and encrypted.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertIdentity } from '#db/store/identities'
import { findUserByEmail } from '#db/store/users'
import { cookieJar } from '../support/app.ts'
import { newChallenge } from '../support/saml.ts'
import { textIn } from '../support/sign-in.ts'
import { type Posted, type SamlUser, signInThere, startSamlPeer } from './saml.ts'
import { unmetChecks } from './unmet-checks.ts'

let world: Awaited<ReturnType<typeof startSamlPeer>>
beforeAll(async () => {
  world = await startSamlPeer()
  const { where, company, email } = world.server
  const t = forTenant(where.db, company.tenantId)
  const [providerRow] = await (await import('#db/store/saml-providers')).listSamlProviders(t)
  const at = where.ctx.clock.now()
  const person = await findUserByEmail(t, email)
  if (person === undefined || providerRow === undefined) throw new Error('no such person')
  const row = { id: where.ctx.random.id(), userId: person.id, issuer: `saml:${providerRow.entityId}`, subject: 'ada', provider: 'saml-pysaml2' }
  await atomically(t, (tx) => insertIdentity(tx, { ...row, isOwnProvider: true, createdAt: at, updatedAt: at }, undefined))
})
afterAll(() => world?.stop())

const browser = () => {
  const jar = cookieJar()
  return async (path: string, body: BodyInit, type?: string): Promise<Response> => {
    const headers = { ...jar.header(), ...(type === undefined ? {} : { 'content-type': type }) }
    const response = await unmetChecks(new URL(path, world.server.issuer), { method: 'POST', body, headers })
    jar.take(response)
    return response
  }
}
const json = (value: unknown) => [JSON.stringify(value), 'application/json'] as const

const dance = async (who: SamlUser, change: (posted: Posted) => Posted = (posted) => posted): Promise<Response> => {
  const { where, company, email } = world.server
  const call = browser()
  const challenge = await newChallenge(where, { tenantId: company.tenantId, clientId: world.clientId })
  const begun = await call('/authsec/hmgr/saml/initiate/pysaml2', ...json({ login_challenge: challenge }))
  const posted = change(await signInThere(textIn((await begun.json()) as never, 'sso_url'), who))
  const { destination, ...fields } = posted
  const landed = await call(destination, new URLSearchParams(fields))
  const transactionToken = /saml_ticket=([\w.-]+)/.exec(await landed.text())?.[1]
  if (transactionToken === undefined) return landed
  return call('/authsec/uflow/user/saml/login', ...json({ client_id: world.clientId, email, saml_ticket: transactionToken }))
}
const ada = { user: 'ada', mail: 'ada@example.com' }

test('smoke: a person signs in through pysaml2 with a signed and encrypted assertion', async () => {
  const done = await dance({ ...ada, sign: 'assertion', encrypt: 'yes' })
  expect(await done.json()).toMatchObject({ email: world.server.email, login_ticket: expect.any(String) })
})

test.each([
  ['the assertion', 'assertion'],
  ['the message', 'response'],
  ['both', 'assertion response'],
])('%s signed', async (_, sign) => {
  expect((await dance({ ...ada, sign })).status).toBe(200)
})

test('the message signed, the assertion encrypted', async () => {
  expect((await dance({ ...ada, sign: 'response', encrypt: 'yes' })).status).toBe(200)
})

test('an unsigned message is refused, in plain and encrypted', async () => {
  expect((await dance({ ...ada, sign: 'none' })).status).toBe(400)
  expect((await dance({ ...ada, sign: 'none', encrypt: 'yes' })).status).toBe(400)
})

test('a message that was changed on the way is refused', async () => {
  const changed = (posted: Posted): Posted => ({
    ...posted,
    SAMLResponse: Buffer.from(Buffer.from(posted.SAMLResponse, 'base64').toString().replace('ada<', 'eve<')).toString('base64'),
  })
  expect((await dance({ ...ada, sign: 'assertion' }, changed)).status).toBe(400)
})
