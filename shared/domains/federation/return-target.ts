// Where a federated sign-in may return: this platform, or a verified domain of the organisation. Never based only on a header.

import { directory, type TenantId } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { createOrigins } from '#shared/platform/http/cors'

type Deps = Pick<RequestCtx, 'config' | 'db' | 'clock' | 'limits' | 'hash' | 'request'>

/** The tenant that verified the origin's domain; https on the default port only. */
const tenantOfOrigin = async (ctx: Deps, origin: string): Promise<TenantId | undefined> => {
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || url.origin !== origin || url.protocol !== 'https:' || url.port !== '') return undefined
  return findTenantByDomain(directory(ctx.db), url.hostname)
}

/** Whether people of the tenant may be sent to the origin: the platform's, or the tenant's verified domain. */
export const isOriginOf = async (ctx: Deps, origin: string, tenantId: TenantId): Promise<boolean> =>
  createOrigins(ctx).isPlatform(origin) || (await tenantOfOrigin(ctx, origin)) === tenantId

export type ReturnTarget = {
  readonly origin: string
  /** The tenant whose verified domain it is; undefined for the platform. */
  readonly tenantId: TenantId | undefined
}

/** The origin of the calling browser; the platform's UI without one. @throws AppError redirect_refused */
export const requireReturnTarget = async (ctx: Deps): Promise<ReturnTarget> => {
  const { origin } = ctx.request
  if (origin === undefined) return { origin: new URL(ctx.config.PUBLIC_UI_ORIGIN ?? ctx.config.BASE_URL).origin, tenantId: undefined }
  if (createOrigins(ctx).isPlatform(origin)) return { origin, tenantId: undefined }
  const tenantId = await tenantOfOrigin(ctx, origin)
  if (tenantId === undefined) throw new AppError('redirect_refused', undefined, { field: 'header.origin' })
  return { origin, tenantId }
}

/** Requires the target to be the platform or the sign-in's tenant. @throws AppError redirect_refused */
export const requireReturnTargetOf = (target: ReturnTarget, tenantId: TenantId | undefined): void => {
  if (target.tenantId !== undefined && target.tenantId !== tenantId) throw new AppError('redirect_refused', undefined, { field: 'header.origin' })
}

/** A path in a spelling that all browsers treat as a path. */
const PATH = /^\/(?![/\\])[\u0021-\u005b\u005d-\u007e]*$/

/** Requires a path below the target, or a URL at the platform or at the tenant's verified domain. @throws AppError redirect_refused */
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
