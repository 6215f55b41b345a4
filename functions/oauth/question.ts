// What a person is asked, on our own page or at a front end of the company's own, and what is kept of it until the answer.

import { forTenant, type TenantDb } from '#db/engine/tenant'
import type { NewRequest } from '#db/store/oauth-authorizations'
import type { DetailType } from '#db/store/oauth-details'
import { newHandle } from '#shared/domains/oauth/handles'
import { secondsAfter } from '#shared/kernel/clock'
import type { User } from '#shared/platform/principals/principal'
import type { Judged, Parameters } from './authorization-request.ts'
import type { Ctx } from './group.ts'

const CONSENT_SECONDS = 600

export type Question = {
  readonly asked: Judged
  readonly parameters: Parameters
  readonly principal: User
  readonly scopes: readonly string[]
  readonly types: readonly DetailType[]
}

/** The row to keep, and the handle under which the answer finds it. */
export const keptQuestion = (
  ctx: Ctx,
  { asked, parameters, principal }: Question,
): { readonly t: TenantDb; readonly handle: string; readonly row: NewRequest } => {
  const { tenantId, clientId } = asked.client
  const { userId, sessionId } = principal
  const [handle, createdAt] = [newHandle(ctx, tenantId), ctx.clock.now()]
  const row: NewRequest = {
    id: ctx.random.id(),
    kind: 'consent',
    handleHash: handle.hash,
    clientId,
    userId,
    sessionId,
    parameters,
    createdAt,
    expiresAt: secondsAfter(createdAt, CONSENT_SECONDS),
  }
  return { t: forTenant(ctx.db, tenantId), handle: handle.text, row }
}
