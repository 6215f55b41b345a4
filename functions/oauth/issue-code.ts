// The person said yes: the grant, the authorization below it, and the code, in one transaction with its event.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { authorizeClient } from '#db/store/oauth-authorizations'
import { authorizeAtOnce } from '#db/store/oauth-code-flow'
import { type DetailType, insertBudgets } from '#db/store/oauth-details'
import { notedDetails } from '#shared/domains/oauth/details'
import { newHandle } from '#shared/domains/oauth/handles'
import { secondsAfter } from '#shared/kernel/clock'
import { byUser, eventsAtHand, type Occurrence, record } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'
import { admit } from './admission.ts'
import type { Judged } from './authorization-request.ts'
import { ownBudgets } from './budgets.ts'
import type { Ctx } from './group.ts'
import { answerAt } from './redirect.ts'

const CODE_SECONDS = 60

type More = {
  /** Whether the person wants to be asked again. */
  readonly remember?: boolean
  /** What belongs to the same transaction. */
  readonly also?: (t: TenantTx) => Promise<void>
}

/** Answers where the browser goes on: to the client, with a code. */
export const issueCode = async (
  ctx: Ctx,
  j: Judged,
  principal: User,
  scopes: readonly string[],
  types: readonly DetailType[],
  { remember = true, also }: More = {},
): Promise<string> => {
  const { client, redirectUri } = j
  const [at, code, id] = [ctx.clock.now(), newHandle(ctx, client.tenantId), ctx.random.id()]
  const codeExpiresAt = secondsAfter(at, CODE_SECONDS)
  const t = forTenant(ctx.db, client.tenantId)
  const whose = { userId: principal.userId, clientId: client.clientId, resourceServerId: j.resource?.id ?? null }
  const authorization = {
    id,
    grantId: ctx.random.id(),
    ...whose,
    sessionId: principal.sessionId,
    offline: scopes.includes('offline_access'),
    scopes: [...scopes],
    authTime: principal.authTime,
    amr: [...principal.amr],
    acr: principal.acr,
    nonce: j.nonce ?? null,
    codeHash: code.hash,
    codeExpiresAt,
    redirectUri,
    codeChallenge: j.codeChallenge,
    jkt: j.jkt ?? null,
    details: j.details,
    createdAt: at,
    expiresAt: codeExpiresAt,
  }
  const occurrence: Occurrence = {
    event: 'oauth.authorized',
    actor: byUser(principal),
    target: { type: 'client', id: client.clientId },
    after: { authorization_id: id, scopes, resource: j.resource?.resource ?? null, ...notedDetails(j.details) },
  }
  const isAll = also === undefined && client.registeredBy === 'administrator' && j.details.length === 0
  const events = isAll ? await eventsAtHand(t, ctx, occurrence) : undefined
  if (events === undefined || !(await authorizeAtOnce(t, authorization, remember, events))) {
    await atomically(t, async (tx) => {
      await also?.(tx)
      await admit(tx, client, whose.resourceServerId, at)
      await authorizeClient(tx, authorization, remember)
      await insertBudgets(tx, ownBudgets(ctx, { holderId: id, details: j.details, types, at }))
      await record(tx, ctx, occurrence)
    })
  }
  return answerAt(redirectUri, ctx.config.BASE_URL, { code: code.text, state: j.state })
}
