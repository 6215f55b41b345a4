// From a bearer token to who is calling, fresh: the token proves, the store decides.

import type { Db } from '#db/engine/client'
import { forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findPrincipal, type PrincipalRow } from '#db/store/principals'
import { touchSession } from '#db/store/sessions'
import type { TenantSettings } from '#db/store/tenants'
import { ageMs, type Clock, type Mark, markOf } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import { atLeast } from '#shared/platform/tokens/acr'
import type { SessionClaims } from '#shared/platform/tokens/session-claims'
import { seenClaims, verifySessionToken } from '#shared/platform/tokens/session-token'
import type { SigningKeys } from '#shared/platform/tokens/signing-keys'
import { adminAcrOf } from './admin-acr.ts'
import type { Permission, User } from './principal.ts'

export type Principals = {
  /**
   * Verifies a session token and loads the session, the person, the tenant and the live permissions in one statement. What was loaded is used for at most
   * one second, and not at all after a commit of that tenant on this instance.
   * `verified` is told whose the token says it is before the store is asked; what it throws ends the request there.
   * @throws AppError invalid_token
   */
  resolve(token: string, verified?: (tenantId: TenantId) => Promise<void>): Promise<User>
  /** The tenant of a token whose signature this instance has checked before. Says nothing of whether it still counts. */
  tenantOf(token: string): TenantId | undefined
}

type Deps = {
  readonly config: Config
  readonly db: Db
  readonly clock: Clock
  readonly signingKeys: SigningKeys
  readonly quotas: { learn(tenantId: TenantId, quotas: TenantSettings['quotas']): void }
}

/** How old a loaded principal may be. With the second that a commit elsewhere may take to be seen, revocation is felt within two. */
const FRESH_MS = 1000
const MAX_LOADED = 10_000
const TOUCH_MS = 60_000

const dead = (row: PrincipalRow, now: Date): boolean =>
  row.revoked ||
  !row.userActive ||
  !row.clientActive ||
  row.tenantStatus !== 'active' ||
  row.expiresAt <= now ||
  row.lastSeenAt.getTime() + row.idleSeconds * 1000 <= now.getTime() ||
  row.createdAt < row.userValidFrom ||
  row.createdAt < row.tenantValidFrom ||
  (row.clientValidFrom !== null && row.createdAt < row.clientValidFrom)

/** What counts only in a session that is strong enough (the tenant's administrator policy). */
const isStrong = (permission: string): boolean => permission === 'admin:access' || permission.startsWith('platform:')

const permissionsOf = (row: PrincipalRow, tenantId: TenantId): ReadonlySet<Permission> => {
  const strongEnough = atLeast(row.acr, adminAcrOf(tenantId, row.adminAcr ?? undefined))
  return new Set(
    row.permissions.filter(
      (permission) => (strongEnough || !isStrong(permission)) && (tenantId === SYSTEM_TENANT || !permission.startsWith('platform:')),
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

type Loaded = { readonly user: User; readonly row: PrincipalRow; readonly since: Mark }

export const createPrincipals = (ctx: Deps): Principals => {
  /** Per tenant, so that one commit forgets one tenant. */
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
    const since = markOf(ctx.clock)
    const t = forTenant(ctx.db, claims.tenantId)
    const row = await findPrincipal(t, claims.sessionId, claims.tokenId, now)
    if (row !== undefined) ctx.quotas.learn(claims.tenantId, row.quotas ?? undefined)
    if (row === undefined || row.userId !== claims.userId || row.tokenId !== claims.tokenId || dead(row, now)) throw new AppError('invalid_token')
    if (now.getTime() - row.lastSeenAt.getTime() > TOUCH_MS) await touchSession(t, claims.sessionId, now, new Date(now.getTime() - TOUCH_MS))
    return { user: userOf(claims, row), row, since }
  }

  return {
    tenantOf: (token) => seenClaims(ctx, token)?.tenantId,
    resolve: async (token, verified) => {
      const claims = await verifySessionToken(ctx, token)
      await verified?.(claims.tenantId)
      const { tenantId, tokenId } = claims
      const now = ctx.clock.now()
      const memory = memoryOf(tenantId)
      const known = memory.get(tokenId)
      if (known !== undefined && ageMs(ctx.clock, known.since) < FRESH_MS && !dead(known.row, now)) return known.user
      const fresh = await load(claims, now)
      // A commit while we read replaced the memory: what we read may be from before it, so it is used once and not kept.
      if (loaded.get(tenantId) === memory) {
        if (!memory.has(tokenId)) size++
        memory.set(tokenId, fresh)
      }
      return fresh.user
    },
  }
}
