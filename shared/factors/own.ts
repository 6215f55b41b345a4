// A person's own second factors.
import { type Factor, findFactors } from '#db/store/factors'
import { forTenant } from '#db/tenant'
import type { BaseCtx } from '../context.ts'
import type { User } from '../http/principal.ts'

export const ownFactors = (ctx: Pick<BaseCtx, 'db'>, { tenantId, userId }: User): Promise<Factor[]> =>
  findFactors(forTenant(ctx.db, tenantId), userId)
