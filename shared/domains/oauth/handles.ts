// Codes, request handles and refresh tokens: opaque to clients. Each begins with its tenant's id, so that row level security applies to the look-up.
import { asTenantId, type TenantId } from '#db/engine/tenant'
import type { BaseCtx } from '#shared/domains/context'
import { splitHandle } from '#shared/kernel/ids'
import { randomToken } from '#shared/kernel/random'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'

/** 84 bytes in base64url: authorization, generation, family and MAC. */
const REFRESH_LENGTH = 112

export type NewHandle = { readonly text: string; readonly hash: Uint8Array }
export type Handle = { readonly tenantId: TenantId; readonly hash: Uint8Array }

export const newHandle = (ctx: Pick<BaseCtx, 'random'>, tenantId: TenantId): NewHandle => {
  const text = `${tenantId}.${randomToken(ctx.random)}`
  return { text, hash: sha256(text) }
}

export const readHandle = (text: string): Handle | undefined => {
  const tenantId = splitHandle(text)?.id
  return tenantId === undefined ? undefined : { tenantId: asTenantId(tenantId), hash: sha256(text) }
}

/** Random bytes that all refresh tokens of a family have in common; the store has their digest. */
export const newFamily = (ctx: Pick<BaseCtx, 'random'>): Uint8Array => ctx.random.bytes(32)

export type RefreshToken = {
  readonly tenantId: TenantId
  readonly authorizationId: string
  readonly generation: number
  readonly family: Uint8Array
}

const bytesOf = ({ authorizationId, generation, family }: Omit<RefreshToken, 'tenantId'>): Buffer => {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(generation)
  return Buffer.concat([Buffer.from(authorizationId.replaceAll('-', ''), 'hex'), number, family])
}

type Hashing = Pick<BaseCtx, 'hash'>
const macOf = (ctx: Hashing, tenantId: string, body: Buffer): Uint8Array => ctx.hash('refresh-token', tenantId, body.toString('base64url'))

/**
 * The refresh token of a generation, derived from its content, the family's secret and a key of the deployment. A repeated request gets the same next
 * token, old tokens are recognised without being stored, and neither a copy of the database nor an old token is enough to derive a new one.
 */
export const refreshToken = (ctx: Hashing, token: RefreshToken): string => {
  const body = bytesOf(token)
  return `${token.tenantId}.${Buffer.concat([body, macOf(ctx, token.tenantId, body)]).toString('base64url')}`
}

const uuidOf = (bytes: Buffer): string => {
  const h = bytes.toString('hex')
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
}

/** The content of one of our refresh tokens; undefined for any other text. */
export const readRefreshToken = (ctx: Hashing, text: string): RefreshToken | undefined => {
  const handle = splitHandle(text, REFRESH_LENGTH)
  if (handle === undefined) return undefined
  const { id: tenantId, secret } = handle
  const bytes = Buffer.from(secret, 'base64url')
  const body = bytes.subarray(0, 52)
  if (!constantTimeEqual(new Uint8Array(bytes.subarray(52)), macOf(ctx, tenantId, body))) return undefined
  return {
    tenantId: asTenantId(tenantId),
    authorizationId: uuidOf(body.subarray(0, 16)),
    generation: body.readUInt32BE(16),
    family: new Uint8Array(body.subarray(20)),
  }
}
