import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Wire } from './session-claims.schema.ts'
import { isWireClaims } from './session-claims-check.ts'

const SEEN = new Set<boolean>()
const uuid = fc.uuid()
const seconds = fc.integer({ min: 0, max: 4_000_000_000 })
const words = fc.array(fc.string(), { maxLength: 3 })
const claims = fc.record(
  {
    iss: fc.webUrl(),
    aud: fc.string(),
    sub: uuid,
    user_id: uuid,
    email_id: fc.emailAddress(),
    tenant_id: uuid,
    project_id: fc.string(),
    client_id: fc.string(),
    tenant_domain: fc.domain(),
    token_type: fc.constant('default'),
    scope: fc.string(),
    scopes: words,
    roles: words,
    jti: uuid,
    sid: uuid,
    auth_time: seconds,
    amr: words,
    acr: fc.string(),
    iat: seconds,
    nbf: seconds,
    exp: seconds,
  },
  {
    requiredKeys: [
      'iss',
      'aud',
      'sub',
      'user_id',
      'email_id',
      'tenant_id',
      'project_id',
      'client_id',
      'token_type',
      'jti',
      'sid',
      'auth_time',
      'amr',
      'acr',
      'iat',
      'nbf',
      'exp',
    ],
  },
)
/** Near misses of every kind of member, and arbitrary JSON. */
const wrong = fc.oneof(
  fc.constantFrom<unknown>(null, '', -1, -0, 1.5, 2 ** 53, 1e300, true, [], {}, ['a', 1], [['a']], [null], 'Default', '0'.repeat(36)),
  uuid.map((id) => id.toUpperCase()),
  uuid.map((id) => `${id}\n`),
  uuid.map((id) => ` ${id}`),
  fc.jsonValue(),
)
const change = fc.tuple(
  fc.constantFrom(...Object.keys(Wire.shape), 'extra', '__proto__', 'constructor'),
  fc.oneof(
    wrong.map((value) => ({ value })),
    fc.constant(undefined),
  ),
)
const changed = fc.tuple(claims, fc.array(change, { maxLength: 2 })).map(([of, changes]) => {
  const members = new Map<string, unknown>(Object.entries(of))
  for (const [name, to] of changes) {
    if (to === undefined) members.delete(name)
    else members.set(name, to.value)
  }
  const text = [...members].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()
  return JSON.parse(`{${text}}`) as unknown
})

test('accepts and refuses exactly what the declared schema accepts and refuses', () => {
  const property = fc.property(fc.oneof({ weight: 9, arbitrary: changed }, { weight: 1, arbitrary: fc.jsonValue() }), (payload) => {
    const declared = Wire.safeParse(payload)
    expect(isWireClaims(payload)).toBe(declared.success)
    if (declared.success) expect(payload).toMatchObject(declared.data)
    SEEN.add(declared.success)
  })
  fc.assert(property, { numRuns: 20_000 })
  expect(SEEN).toEqual(new Set([true, false]))
})
