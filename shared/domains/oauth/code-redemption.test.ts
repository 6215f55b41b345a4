import { expect, test } from 'vitest'
import type { AuthorizationState } from '#db/store/oauth-families'
import { challengeOf, decideRedemption } from './code-redemption.ts'

const NOW = new Date('2026-01-02T03:04:05Z')
const presented = { clientId: 'client', codeVerifier: 'verifier', redirectUri: 'https://app.example/cb', jkt: undefined as string | undefined }
const CODE: Pick<AuthorizationState, 'clientId' | 'codeUsed' | 'codeChallenge' | 'redirectUri' | 'jkt' | 'revoked' | 'alive' | 'codeExpiresAt'> = {
  clientId: 'client',
  codeUsed: false,
  codeChallenge: challengeOf('verifier'),
  redirectUri: 'https://app.example/cb',
  jkt: undefined,
  revoked: false,
  alive: true,
  codeExpiresAt: new Date(NOW.getTime() + 1),
}
const bound = { jkt: 'key' }

test.each([
  ['redeemable', {}, {}],
  ['redeemable', {}, { redirectUri: undefined }],
  ['redeemable', {}, bound],
  ['redeemable', bound, bound],
  ['refused', {}, { clientId: 'another' }],
  ['refused', {}, { codeVerifier: 'another' }],
  ['refused', {}, { redirectUri: 'https://elsewhere.example/' }],
  ['refused', bound, {}],
  ['refused', bound, { jkt: 'another' }],
  ['refused', { revoked: true }, {}],
  ['refused', { alive: false }, {}],
  ['refused', { codeExpiresAt: NOW }, {}],
  ['replayed', { codeUsed: true }, {}],
  ['replayed', { codeUsed: true, revoked: true, alive: false, codeExpiresAt: NOW }, { codeVerifier: 'another' }],
  ['refused', { codeUsed: true }, { clientId: 'another' }],
] as const)('%s: a code with %o, presented with %o', (outcome, code, request) => {
  expect(decideRedemption({ ...CODE, ...code } as AuthorizationState, { ...presented, ...request }, NOW)).toBe(outcome)
})

test('an unknown code is refused', () => {
  expect(decideRedemption(undefined, presented, NOW)).toBe('refused')
})
