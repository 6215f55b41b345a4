// A person's own second factors.

import { forTenant } from '#db/engine/tenant'
import { type Factor, findFactors } from '#db/store/factors'
import type { BaseCtx } from '#shared/domains/context'
import type { User } from '#shared/platform/principals/principal'

export const listOwnFactors = (ctx: Pick<BaseCtx, 'db'>, { tenantId, userId }: User): Promise<Factor[]> =>
  findFactors(forTenant(ctx.db, tenantId), userId)
