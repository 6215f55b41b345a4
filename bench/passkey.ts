// `npm run bench:passkey`: what a ceremony costs the server compared with verifying its signature, in one run. With the embedded database its work is included; with
// TEST_DATABASE_URL (`eval "$(scripts/services.sh)"`) only the function's own work counts.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { startApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { givePasskey, named, optionsOf, PAGE, postPasskey } from '#tests/support/passkeys'
import { authRoutes } from '../functions/auth/routes.ts'
import { userSignInRoutes } from '../functions/user-sign-in/routes.ts'
import { webauthnRoutes } from '../functions/webauthn/routes.ts'
import { verifyAssertion } from '../functions/webauthn/verification.ts'
import { alternate, report } from './measure.ts'

const PLAN = { operations: 40, rounds: 5 }
const CEREMONIES = PLAN.operations * (PLAN.rounds + 1)

const costs = countedDb((await testDb()).engine)
const app = await startApp([...webauthnRoutes, ...userSignInRoutes, ...authRoutes] as typeof webauthnRoutes, { db: costs.db })
const company = await app.company('bench')
const person = await app.person(company)
// An authenticator without a signature counter: ceremonies finish in any order here.
const device = authenticator(PAGE, { counts: 0 })
const made = await givePasskey(app, person, device)

const begin = async () => optionsOf(await postPasskey(app, '/passkey/begin', {}))
const finish = async (body: Readonly<Record<string, unknown>>): Promise<Response> => {
  const answer = await postPasskey(app, '/passkey/finish', body)
  if (answer.status !== 200) throw new Error(await answer.text())
  return answer
}
/** The authenticator's work is done beforehand. */
const toResponse = async () => {
  const options = await begin()
  return { session_id: options.session_id, credential: device.get(options) }
}

const one = await toResponse()
const ceremony = {
  tenantId: company.tenantId,
  clientId: undefined,
  challenge: (JSON.parse(Buffer.from(one.credential.response.clientDataJSON, 'base64url').toString()) as { challenge: string }).challenge,
  origin: PAGE,
  rpId: 'localhost',
  userVerification: 'required',
} as const
const known = { userId: person.id, credentialId: made.id, publicKey: new Uint8Array(made.keys.cose), backupEligible: false }
const key = createPublicKey(made.keys.privateKey)
const signature = Buffer.from(one.credential.response.signature, 'base64url')
const data = Buffer.concat([
  Buffer.from(one.credential.response.authenticatorData, 'base64url'),
  createHash('sha256').update(Buffer.from(one.credential.response.clientDataJSON, 'base64url')).digest(),
])

const ready: Awaited<ReturnType<typeof toResponse>>[] = []
for (let n = 0; n < CEREMONIES; n++) ready.push(await toResponse())

const BARE = 'ES256 signature only'
report(
  'A sign-in with only a passkey, one at a time',
  await alternate(
    [
      {
        name: BARE,
        run: () => {
          if (!verify('sha256', data, key, signature)) throw new Error('the signature is wrong')
        },
      },
      { name: 'all checks of the answer, no database', run: () => verifyAssertion(one.credential, known, ceremony) },
      { name: 'begin', run: begin },
      {
        name: 'finish: consume, verify, count, ticket, event',
        run: () => {
          const next = ready.pop()
          if (next === undefined) throw new Error('too few ceremonies')
          return finish(next)
        },
      },
    ],
    PLAN,
  ),
  BARE,
)

const minted = async (ticket: unknown): Promise<void> => {
  const body = { email: person.email, tenant_id: company.tenantId, mfa_verified: true, login_ticket: ticket }
  const answer = await app.request('/authsec/uflow/auth/enduser/webauthn-callback', { body })
  if (answer.status !== 200) throw new Error(await answer.text())
}
const alone = await costs.during(async () => {
  const answer = await finish(await toResponse())
  await minted(((await answer.json()) as { login_ticket: string }).login_ticket)
})
const second = await costs.during(async () => {
  const login = { client_id: company.clientId, email: person.email, password: person.password }
  const { login_ticket: ticket } = (await (await app.request('/authsec/uflow/user/login', { body: login })).json()) as { login_ticket: string }
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
  const body = { ...named(person), session_id: options.session_id, credential: device.get(options) }
  await postPasskey(app, '/finishAuthentication', body, { ticket })
  await minted(ticket)
})
console.log(`\nPasskey to a token: ${alone.statements} statements, ${alone.roundTrips} round trips`)
console.log(`Password, passkey, token: ${second.statements} statements, ${second.roundTrips} round trips`)

const start = performance.now()
const fifty = await Promise.all(
  Array.from({ length: 50 }, async () => {
    const answer = await finish(await toResponse())
    await minted(((await answer.json()) as { login_ticket: string }).login_ticket)
  }),
)
console.log(`${fifty.length} concurrent sign-ins without an error in ${Math.round(performance.now() - start)} ms`)
process.exit(0)
