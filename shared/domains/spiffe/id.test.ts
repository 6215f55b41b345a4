import { expect, test } from 'vitest'
import { asTenantId } from '#db/engine/tenant'
import { parseSpiffeId, requireTenantSpiffeId, spiffeIdText, tenantOfSpiffeId } from './id.ts'

const TENANT = asTenantId('0192f1c0-6b1e-7d5a-9c54-3b5d7a1e2f00')
const config = { SPIFFE_TRUST_DOMAIN: 'id.example' }

test.each([`spiffe://${TENANT}`, `spiffe://${TENANT}/ns/prod/sa/api`, 'spiffe://id.example/A.b_c-9', `spiffe://a/${'x'.repeat(64)}`])(
  '%s is an id, and its text is the same again',
  (text) => {
    const id = parseSpiffeId(text)
    expect(id === undefined ? undefined : spiffeIdText(id)).toBe(text)
  },
)

test.each([
  '',
  'spiffe:/a/b',
  'SPIFFE://a/b',
  'https://a/b',
  'spiffe://',
  'spiffe:///b',
  'spiffe://A.example/b',
  'spiffe://a.example:8443/b',
  'spiffe://user@a.example/b',
  'spiffe://a/b/',
  'spiffe://a/',
  'spiffe://a//b',
  'spiffe://a/./b',
  'spiffe://a/../b',
  'spiffe://a/%61',
  'spiffe://a/b?c',
  'spiffe://a/b#c',
  'spiffe://a/b c',
  'spiffe://a/\u00e9',
  'spiffe://\u0430/b',
  ' spiffe://a/b',
  'spiffe://a/b\n',
  `spiffe://a/${'x'.repeat(65)}`,
  `spiffe://a${'/x'.repeat(1100)}`,
  `spiffe://${'a'.repeat(256)}/b`,
])('%j is no id', (text) => {
  expect(parseSpiffeId(text)).toBeUndefined()
})

const tenantOf = (text: string) => {
  const id = parseSpiffeId(text)
  return id === undefined ? undefined : tenantOfSpiffeId(config, id)
}

test('an id belongs to the tenant of its trust domain, or of the path in the platform\u2019s', () => {
  expect(tenantOf(`spiffe://${TENANT}/x`)).toBe(TENANT)
  expect(tenantOf(`spiffe://id.example/tenants/${TENANT}/agents/a`)).toBe(TENANT)
  expect(tenantOf(`spiffe://id.example/tenants/${TENANT}`)).toBeUndefined()
  expect(tenantOf(`spiffe://other.example/tenants/${TENANT}/agents/a`)).toBeUndefined()
  expect(tenantOf(`spiffe://id.example/user/${TENANT}/agent/a`)).toBeUndefined()
  expect(tenantOf(`spiffe://${TENANT.toUpperCase()}/x`)).toBeUndefined()
})

test('a workload\u2019s id is in the tenant and has a path', () => {
  const require = (text: string) => () => requireTenantSpiffeId(config, TENANT, text, 'body.spiffe_id')
  expect(require(`spiffe://${TENANT}/x`)()).toEqual({ trustDomain: TENANT, segments: ['x'] })
  for (const text of [`spiffe://${TENANT}`, 'spiffe://0192f1c0-6b1e-7d5a-9c54-3b5d7a1e2f01/x', 'nonsense']) {
    expect(require(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  }
})
