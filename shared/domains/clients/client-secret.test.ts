import { expect, test } from 'vitest'
import { sha256 } from '#shared/platform/crypto/sha256'
import { isClientSecret } from './client-secret.ts'

const NOW = new Date('2026-01-02T00:00:00Z')
const LATER = new Date('2026-01-02T00:00:01Z')
const rotated = { secretHash: sha256('new'), previousSecretHash: sha256('old') }

test.each([
  ['the current secret', 'new', { ...rotated, previousValidUntil: LATER }, true],
  ['the previous secret during the overlap', 'old', { ...rotated, previousValidUntil: LATER }, true],
  ['the previous secret at the end of the overlap', 'old', { ...rotated, previousValidUntil: NOW }, false],
  ['the previous secret without an overlap', 'old', { ...rotated, previousValidUntil: null }, false],
  ['any other text', 'other', { ...rotated, previousValidUntil: LATER }, false],
  ['an empty secret, where the client has none', '', { secretHash: null, previousSecretHash: undefined, previousValidUntil: LATER }, false],
  ['the digest itself', Buffer.from(sha256('new')).toString('base64url'), { secretHash: sha256('new') }, false],
] as const)('%s', (_, secret, stored, accepted) => {
  expect(isClientSecret(secret, stored, NOW)).toBe(accepted)
})
