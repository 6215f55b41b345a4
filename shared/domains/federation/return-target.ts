// Where a sign-in may lead: this platform, or a verified domain of the organisation that it is for. Never where a header says.

import { directory, type TenantId } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { createOrigins } from '#shared/platform/http/cors'

type Deps = Pick<RequestCtx, 'config' | 'db' | 'clock' | 'limits' | 'hash' | 'request'>

/** A verified domain is served over TLS at the usual port. */
const tenantOfOrigin = async (ctx: Deps, origin: string): Promise<TenantId | undefined> => {
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || url.origin !== origin || url.protocol !== 'https:' || url.port !== '') return undefined
  return findTenantByDomain(directory(ctx.db), url.hostname)
}

/** Whether people of the tenant may be sent there: ours, or a domain that the tenant has proved. */
export const isOriginOf = async (ctx: Deps, origin: string, tenantId: TenantId): Promise<boolean> =>
  createOrigins(ctx).isPlatform(origin) || (await tenantOfOrigin(ctx, origin)) === tenantId

export type ReturnTarget = {
  readonly origin: string
  /** Whose verified domain it is; undefined for the platform's own. */
  readonly tenantId: TenantId | undefined
}

/** Where the browser is that asks; a caller without an origin is led to the platform's UI. @throws AppError redirect_refused */
export const requireReturnTarget = async (ctx: Deps): Promise<ReturnTarget> => {
  const { origin } = ctx.request
  if (origin === undefined) return { origin: new URL(ctx.config.PUBLIC_UI_ORIGIN ?? ctx.config.BASE_URL).origin, tenantId: undefined }
  if (createOrigins(ctx).isPlatform(origin)) return { origin, tenantId: undefined }
  const tenantId = await tenantOfOrigin(ctx, origin)
  if (tenantId === undefined) throw new AppError('redirect_refused', undefined, { field: 'header.origin' })
  return { origin, tenantId }
}

/** The target is the platform's, or of the tenant that the sign-in is for. @throws AppError redirect_refused */
export const requireReturnTargetOf = (target: ReturnTarget, tenantId: TenantId | undefined): void => {
  if (target.tenantId !== undefined && target.tenantId !== tenantId) throw new AppError('redirect_refused', undefined, { field: 'header.origin' })
}

/** A path, in the one spelling that every browser reads as one. */
const PATH = /^\/(?![/\\])[\u0021-\u005b\u005d-\u007e]*$/

/** A path below the target, or an address at the platform or at a verified domain of the tenant. @throws AppError redirect_refused */
export const requireRedirectAfter = async (
  ctx: Deps,
  text: string | undefined,
  target: ReturnTarget,
  tenantId: TenantId | undefined,
): Promise<void> => {
  if (text === undefined) return
  if (PATH.test(text) && new URL(text, target.origin).origin === target.origin) return
  const refused = new AppError('redirect_refused', undefined, { field: 'body.redirect_after' })
  if (!/^https?:\/\/[\u0021-\u005b\u005d-\u007e]*$/.test(text) || !URL.canParse(text)) throw refused
  const { origin, username, password } = new URL(text)
  if (username !== '' || password !== '') throw refused
  if (createOrigins(ctx).isPlatform(origin)) return
  const owner = await tenantOfOrigin(ctx, origin)
  if (owner === undefined || owner !== (tenantId ?? target.tenantId)) throw refused
}
