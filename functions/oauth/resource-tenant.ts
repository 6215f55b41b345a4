// The company of a requested resource. Identifiers are unique, except on the loopback interface, where each company has its own servers: a registration by one
// company must not affect another.
import { directory, type TenantId } from '#db/engine/tenant'
import { findTenantsOfResource, isResourceOfTenant } from '#db/store/resource-servers'
import { tenantOfOrigin } from '#shared/domains/sign-in/choose-tenant'
import { sha256 } from '#shared/platform/crypto/sha256'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import type { Ctx } from './group.ts'

/** The company that owns the resource. Of several, that of the signed-in person, else that of the host; `several` where neither is among them. */
export const tenantOfResource = async (ctx: Ctx, resource: string, person?: TenantId): Promise<TenantId | 'several' | undefined> => {
  const [d, hash] = [directory(ctx.db), sha256(resource)]
  const owners = await findTenantsOfResource(d, hash, 2)
  if (owners.length < 2) return owners[0]
  for (const tenantId of [person, await tenantOfOrigin(withPageOrigin(ctx))]) {
    if (tenantId !== undefined && (await isResourceOfTenant(d, hash, tenantId))) return tenantId
  }
  return 'several'
}
