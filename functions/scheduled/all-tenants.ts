// Every tenant, a page at a time.

import { acrossTenants, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { listTenantIds } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'

const TENANTS_AT_ONCE = 500

/** Begins with the system tenant: its id is the smallest, and it may be missing in the directory. */
export async function* allTenants(db: BaseCtx['db']): AsyncGenerator<TenantId> {
  let page: readonly TenantId[] = [SYSTEM_TENANT]
  while (page.length > 0) {
    yield* page
    page = (await listTenantIds(acrossTenants(db), page.at(-1), TENANTS_AT_ONCE)).map(({ tenantId }) => tenantId)
  }
}
