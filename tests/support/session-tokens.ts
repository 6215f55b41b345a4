// Session tokens for tests: setups that issue and verify them, and a signer for arbitrary contents.
import { createHmac } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { Db } from '#db/engine/client'
import { asTenantId } from '#db/engine/tenant'
import { fixedClock, secondsAfter, systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { AppError, ERRORS } from '#shared/kernel/errors'
import { systemRandom } from '#shared/kernel/random'
import { type SessionGrant, verifySessionToken } from '#shared/platform/tokens/session-token'
import { anInstance } from './signing-keys.ts'

export const HOUR = 3600
export const DAY = 24 * HOUR
export const random = systemRandom(systemClock)
export const SECRET = 'a secret that is shared by more than thirty-two bytes'
export const TOKEN_NOW = new Date('2026-01-01T00:00:00Z')

export const grant = (more: Partial<SessionGrant> = {}): SessionGrant => ({
  tenantId: asTenantId(random.id()),
  userId: random.id(),
  sessionId: random.id(),
  tokenId: random.id(),
  email: 'ana@acme.example',
  projectId: random.id(),
  clientId: random.id(),
  tenantDomain: 'acme.localhost',
  scopes: ['read', 'write'],
  roles: ['admin'],
  authTime: secondsAfter(TOKEN_NOW, -60),
  amr: ['pwd', 'otp'],
  acr: 'aal2',
  expiresAt: secondsAfter(TOKEN_NOW, 8 * HOUR),
  ...more,
})

export const tokenWorld = (db: Db, env: Record<string, string> = {}) => {
  const clock = fixedClock(TOKEN_NOW)
  const { signingKeys } = anInstance(db, clock)
  return { clock, random, signingKeys, config: readConfig({ ENVIRONMENT: 'test', ...env }) }
}
export type TokenWorld = ReturnType<typeof tokenWorld>

export const refusedAs = async (ctx: TokenWorld, token: string): Promise<string> => {
  const outcome = await verifySessionToken(ctx, token).catch((error: unknown) => error)
  if (!(outcome instanceof AppError)) return `not refused: ${String(outcome)}`
  return `${outcome.code}: ${outcome.message}`
}
export const REFUSED = `invalid_token: ${ERRORS.invalid_token.title}`

export const encoded = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
/** Signs the given contents with the current key: in the forgeries below, only the named part is wrong. */
export const signedToken = async (ctx: TokenWorld, header: unknown, payload: unknown): Promise<string> => {
  const input = `${encoded(header)}.${encoded(payload)}`
  const { key } = await ctx.signingKeys.signer('ES256')
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}
export const hmacSignedToken = (secret: string, header: unknown, payload: unknown): string => {
  const input = `${encoded(header)}.${encoded(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
export const partsOf = (token: string): { header: Record<string, unknown>; payload: Record<string, unknown>; segments: string[] } => ({
  header: { ...decodeProtectedHeader(token) },
  payload: { ...decodeJwt(token) },
  segments: token.split('.'),
})
export const without = (from: Record<string, unknown>, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).filter(([key]) => key !== name))
