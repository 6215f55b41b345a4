// `auth_req_id`: the tenant's id and 256 random bits, in base64url. The tenant comes first, so that row level security applies to the look-up.
import { asTenantId, type TenantId } from '#db/engine/tenant'
import type { BaseCtx } from '#shared/domains/context'

const SHAPE = /^[A-Za-z0-9_-]{64}$/
const TENANT_BYTES = 16

export const newAuthReqId = (ctx: Pick<BaseCtx, 'random'>, tenantId: TenantId): string =>
  Buffer.concat([Buffer.from(tenantId.replaceAll('-', ''), 'hex'), ctx.random.bytes(32)]).toString('base64url')

export const authReqIdHash = (ctx: Pick<BaseCtx, 'hash'>, handle: string): Uint8Array => ctx.hash('auth-req-id', handle)

/** The tenant that a handle names; undefined when malformed. */
export const tenantOfAuthReqId = (handle: string): TenantId | undefined => {
  if (!SHAPE.test(handle)) return undefined
  const hex = Buffer.from(handle, 'base64url').subarray(0, TENANT_BYTES).toString('hex')
  return asTenantId(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`)
}
