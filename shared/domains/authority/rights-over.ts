// The rights that controlling a client takes: its redirect URIs, its authentication, its secrets, its status.

import type { TenantTx } from '#db/engine/tenant'
import { type Client, findPermissionsOfClient } from '#db/store/clients'
import { findConsentedPermissions } from '#db/store/oauth-authorizations'
import type { Clock } from '#shared/kernel/clock'
import { type GrantorPermissions, requireFullRole, requireGrantable } from './access-change.ts'

/**
 * Requires every right that the client has, by its service account or by what people allowed it. Tokens of the tenant's main client are sessions of everyone who signs in there, administrators included, so that
 * client takes the full administrator role.
 * @throws AppError cannot_grant
 */
export const requireRightsOverClient = async (
  t: TenantTx,
  ctx: { readonly clock: Clock },
  grantable: GrantorPermissions,
  client: Client,
): Promise<void> => {
  if (client.isDefault) requireFullRole(grantable, 'change how people sign in at the main client')
  requireGrantable(grantable, await findPermissionsOfClient(t, client, ctx.clock.now()))
  if (!grantable.full) requireGrantable(grantable, await findConsentedPermissions(t, client.id))
}
