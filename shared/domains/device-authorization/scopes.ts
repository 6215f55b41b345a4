// What a client asks for, and what of it it gets: never more than the person may do, and nothing where nothing was asked or allowed.

import type { TenantDb } from '#db/engine/tenant'
import { findRequestedScopes } from '#db/store/polled-grants'
import { findLivePermissions } from '#db/store/users'

/** OpenID Connect Core section 5.4: claims about the person, no powers. */
const OF_IDENTITY: ReadonlySet<string> = new Set(['openid', 'profile', 'email'])
export const DEFAULT_SCOPES: readonly string[] = ['openid', 'email', 'profile']

/** Absent means the usual ones; an empty list means none. */
export const requestedScopes = (requested: readonly string[] | undefined): string[] => [...new Set(requested ?? DEFAULT_SCOPES)]

/**
 * The part of what was asked that the person may give: scopes of identity, scopes of the tenant whose every permission the person holds now, and permissions
 * that the person holds, by name. In the order of asking.
 */
export const grantedScopes = async (t: TenantDb, userId: string, requested: readonly string[], now: Date): Promise<string[]> => {
  const powers = requested.filter((scope) => !OF_IDENTITY.has(scope))
  if (powers.length === 0) return [...requested]
  const known = await findRequestedScopes(t, powers)
  const held = new Set(await findLivePermissions(t, userId, now))
  const isGiven = (scope: string): boolean => {
    const needed = known.get(scope)
    // A scope of the tenant that has no permissions gives nothing, so nobody is refused it; a name that is no scope is a permission or nothing.
    return needed === undefined ? held.has(scope) : needed.every((permission) => held.has(permission))
  }
  return requested.filter((scope) => OF_IDENTITY.has(scope) || isGiven(scope))
}
