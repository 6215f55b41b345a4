// What it takes to become a client: to say where its answers go and how it proves itself, to see its secrets, to let it go on.

import type { TenantTx } from '#db/engine/tenant'
import { type Client, findPermissionsOfClient } from '#db/store/clients'
import type { Clock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { type GrantorPermissions, requireGrantable } from './access-change.ts'

/**
 * Every right that the client has. What the tenant's main client is given opens a session of whoever signed in at it, administrators among them, so over that
 * one it takes the whole administrator role.
 * @throws AppError cannot_grant
 */
export const requireRightsOverClient = async (
  t: TenantTx,
  ctx: { readonly clock: Clock },
  grantable: GrantorPermissions,
  client: Client,
): Promise<void> => {
  if (client.isDefault && !grantable.full)
    throw new AppError('cannot_grant', 'Only who holds the whole administrator role changes how people sign in at the main client.')
  requireGrantable(grantable, await findPermissionsOfClient(t, client, ctx.clock.now()))
}
