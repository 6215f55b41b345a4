// `npm run bench:token`: verifying a session token, new and cached, against jose and fast-jwt on the same tokens.
import { createPublicKey } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import { jwtVerify } from 'jose'
import { openDb } from '#db/engine/client'
import { openPglite, pgliteEngine } from '#db/engine/pglite'
import { asTenantId } from '#db/engine/tenant'
import { migrate } from '#db/migrations/migrate'
import { systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { systemRandom } from '#shared/kernel/random'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { issueSessionToken, verifySessionToken } from '#shared/platform/tokens/session-token'
import { createSigningKeys } from '#shared/platform/tokens/signing-keys'
import { alternate, report } from './measure.ts'

const OPERATIONS = 400
const ROUNDS = 20

const clock = systemClock
const random = systemRandom(clock)
const config = readConfig({})
const db = openDb(pgliteEngine(await openPglite()))
await migrate(db, clock.now())
const keyring = createKeyring({ masterKeys: [{ id: 'bench', key: random.bytes(32) }], clock, random })
const signingKeys = createSigningKeys({ db, keyring, clock, record: async () => undefined })
const ctx = { config, clock, random, signingKeys }

const issue = () =>
  issueSessionToken(ctx, {
    tenantId: asTenantId(random.id()),
    userId: random.id(),
    sessionId: random.id(),
    tokenId: random.id(),
    email: 'ana@acme.example',
    projectId: random.id(),
    clientId: random.id(),
    tenantDomain: 'acme.localhost',
    scopes: [],
    roles: ['admin'],
    authTime: clock.now(),
    amr: ['pwd'],
    acr: 'aal1',
    expiresAt: new Date(clock.now().getTime() + 3_600_000),
  })

const total = OPERATIONS * (ROUNDS + 1)
const tokens: string[] = []
for (let i = 0; i < total; i++) tokens.push((await issue()).token)
const token = (n: number): string => tokens[n] ?? ''
const { kid } = await signingKeys.signer('ES256')
const verifier = await signingKeys.verifier(kid)
if (verifier === undefined) throw new Error('no key')
const { key } = verifier
const jwk = (await signingKeys.jwks()).keys.find((candidate) => candidate.kid === kid)
const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  .export({ type: 'spki', format: 'pem' })
  .toString()
const fast = createVerifier({ key: pem, algorithms: ['ES256'], allowedIss: config.AUTH_EXPECT_ISS, allowedAud: config.AUTH_EXPECT_AUD })
const fastCached = createVerifier({
  key: pem,
  algorithms: ['ES256'],
  cache: 20_000,
  allowedIss: config.AUTH_EXPECT_ISS,
  allowedAud: config.AUTH_EXPECT_AUD,
})
const options = { issuer: config.AUTH_EXPECT_ISS, audience: config.AUTH_EXPECT_AUD, algorithms: ['ES256'], typ: 'session+jwt' }

report(
  'A token that is not cached (ES256, one in flight)',
  await alternate(
    [
      { name: 'jose jwtVerify', run: (n) => jwtVerify(token(n), key, options) },
      { name: 'fast-jwt', run: (n) => fast(token(n)) },
      { name: 'ours', run: (n) => verifySessionToken(ctx, token(n)) },
    ],
    { operations: OPERATIONS, rounds: ROUNDS },
  ),
  'jose jwtVerify',
)

const SEEN = 200
for (let i = 0; i < SEEN; i++) {
  await verifySessionToken(ctx, token(i))
  fastCached(token(i))
}
report(
  'A cached token',
  await alternate(
    [
      { name: 'fast-jwt, cache on', run: (n) => fastCached(token(n % SEEN)) },
      { name: 'jose jwtVerify', run: (n) => jwtVerify(token(n % SEEN), key, options) },
      { name: 'ours', run: (n) => verifySessionToken(ctx, token(n % SEEN)) },
    ],
    { operations: 2000 },
  ),
  'fast-jwt, cache on',
)
await db.engine.close()
