// Resolves a bearer token to a person: the token proves the identity, and the store provides the current state.

import type { Db } from '#db/engine/client'
import { forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findPrincipal, type PrincipalRow } from '#db/store/principals'
import { touchSession } from '#db/store/sessions'
import type { TenantSettings } from '#db/store/tenants'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import { atLeast } from '#shared/platform/tokens/acr'
import type { SessionClaims } from '#shared/platform/tokens/session-claims'
import { cachedClaims, verifySessionToken } from '#shared/platform/tokens/session-token'
import type { SigningKeys } from '#shared/platform/tokens/signing-keys'
import { adminAcrOf } from './admin-acr.ts'
import type { Permission, User } from './principal.ts'

export type Principals = {
  /**
   * Verifies a session token and loads the session, the person, the tenant and the live permissions in one statement. The result is cached for at
   * most one second, and dropped at once after a commit of that tenant on this instance. `verified` is called with the tenant after the signature
   * check and before the store is queried; an error from it ends the request.
   * @throws AppError invalid_token
   */
  resolve(token: string, verified?: (tenantId: TenantId) => Promise<void>): Promise<User>
  /** The tenant of a token whose signature this instance has verified before. The token may have been revoked since. */
  tenantOf(token: string): TenantId | undefined
}

type Deps = {
  readonly config: Config
  readonly db: Db
  readonly clock: Clock
  readonly signingKeys: SigningKeys
  readonly quotas: { learn(tenantId: TenantId, quotas: TenantSettings['quotas']): void }
}

/**
 * Longest age of a cached principal. Another instance's commit may take a second to become visible, so revocation takes effect within two seconds.
 */
const MAX_AGE_MS = 1000
const MAX_LOADED = 10_000
const TOUCH_MS = 60_000

const isEnded = (row: PrincipalRow, now: Date): boolean =>
  row.revoked ||
  !row.userActive ||
  !row.clientActive ||
  row.tenantStatus !== 'active' ||
  row.expiresAt <= now ||
  row.lastSeenAt.getTime() + row.idleSeconds * 1000 <= now.getTime() ||
  row.createdAt < row.userValidFrom ||
  row.createdAt < row.tenantValidFrom ||
  (row.clientValidFrom !== null && row.createdAt < row.clientValidFrom)

/** Permissions that count only in a session that satisfies the tenant's administrator policy. */
const isAdministrative = (permission: string): boolean => permission === 'admin:access' || permission.startsWith('platform:')

const permissionsOf = (row: PrincipalRow, tenantId: TenantId): ReadonlySet<Permission> => {
  const isStrongEnough = atLeast(row.acr, adminAcrOf(tenantId, row.adminAcr ?? undefined))
  return new Set(
    row.permissions.filter(
      (permission) => (isStrongEnough || !isAdministrative(permission)) && (tenantId === SYSTEM_TENANT || !permission.startsWith('platform:')),
    ) as Permission[],
  )
}

const userOf = (claims: SessionClaims, row: PrincipalRow): User => ({
  kind: 'user',
  tenantId: claims.tenantId,
  userId: row.userId,
  sessionId: claims.sessionId,
  tokenId: claims.tokenId,
  tokenExpiresAt: claims.expiresAt,
  clientId: row.clientId ?? undefined,
  email: row.email,
  permissions: row.passwordChangeRequired ? new Set() : permissionsOf(row, claims.tenantId),
  amr: row.amr,
  acr: row.acr,
  authTime: row.authTime,
  passwordChangeRequired: row.passwordChangeRequired,
})

type Loaded = { readonly user: User; readonly row: PrincipalRow; readonly since: ClockReading }

export const createPrincipals = (ctx: Deps): Principals => {
  /** By tenant, so that a commit drops only that tenant's entries. */
  const loaded = new Map<string, Map<string, Loaded>>()
  let size = 0
  ctx.db.onCommit((tenantId) => {
    size -= loaded.get(tenantId)?.size ?? 0
    loaded.delete(tenantId)
  })

  const memoryOf = (tenantId: TenantId): Map<string, Loaded> => {
    if (size >= MAX_LOADED) {
      loaded.clear()
      size = 0
    }
    const known = loaded.get(tenantId) ?? new Map<string, Loaded>()
    loaded.set(tenantId, known)
    return known
  }

  const load = async (claims: SessionClaims, now: Date): Promise<Loaded> => {
    const since = readClock(ctx.clock)
    const t = forTenant(ctx.db, claims.tenantId)
    const row = await findPrincipal(t, claims.sessionId, claims.tokenId, now)
    if (row !== undefined) ctx.quotas.learn(claims.tenantId, row.quotas ?? undefined)
    if (row === undefined || row.userId !== claims.userId || row.tokenId !== claims.tokenId || isEnded(row, now)) throw new AppError('invalid_token')
    if (now.getTime() - row.lastSeenAt.getTime() > TOUCH_MS) await touchSession(t, claims.sessionId, now, new Date(now.getTime() - TOUCH_MS))
    return { user: userOf(claims, row), row, since }
  }

  return {
    tenantOf: (token) => cachedClaims(ctx, token)?.tenantId,
    resolve: async (token, verified) => {
      const claims = await verifySessionToken(ctx, token)
      await verified?.(claims.tenantId)
      const { tenantId, tokenId } = claims
      const now = ctx.clock.now()
      const memory = memoryOf(tenantId)
      const known = memory.get(tokenId)
      if (known !== undefined && ageMs(ctx.clock, known.since) < MAX_AGE_MS && !isEnded(known.row, now)) return known.user
      const principal = await load(claims, now)
      // A commit during the read has replaced the map: the row may predate it, so it is used once and not cached.
      if (loaded.get(tenantId) === memory) {
        if (!memory.has(tokenId)) size++
        memory.set(tokenId, principal)
      }
      return principal.user
    },
  }
}
