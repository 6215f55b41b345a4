// Requested scopes, and the part of them that the person can give.

import type { TenantDb } from '#db/engine/tenant'
import { findRequestedScopes } from '#db/store/polled-grants'
import { findLivePermissions } from '#db/store/users'

/** OpenID Connect Core section 5.4: claims about the person, no permissions. */
const IDENTITY_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'email'])
export const DEFAULT_SCOPES: readonly string[] = ['openid', 'email', 'profile']

/** An absent list means the default scopes; an empty list means none. */
export const requestedScopes = (requested: readonly string[] | undefined): string[] => [...new Set(requested ?? DEFAULT_SCOPES)]

/**
 * The requested scopes that the person can give, in the requested order: identity scopes, tenant scopes whose every permission the person holds, and
 * permissions that the person holds, by name.
 */
export const grantedScopes = async (t: TenantDb, userId: string, requested: readonly string[], now: Date): Promise<string[]> => {
  const names = requested.filter((scope) => !IDENTITY_SCOPES.has(scope))
  if (names.length === 0) return [...requested]
  const known = await findRequestedScopes(t, names)
  const held = new Set(await findLivePermissions(t, userId, now))
  const isGrantable = (scope: string): boolean => {
    const needed = known.get(scope)
    // A tenant scope without permissions gives nothing, so it is always granted. A name that is not a scope is a permission.
    return needed === undefined ? held.has(scope) : needed.every((permission) => held.has(permission))
  }
  return requested.filter((scope) => IDENTITY_SCOPES.has(scope) || isGrantable(scope))
}
