// Writes a delegation step and issues its token: the origin, the actor, the scopes and the budgets, with the event, in one transaction.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { insertDelegation } from '#db/store/oauth-delegations'
import { type Budget, type DetailType, insertBudgets } from '#db/store/oauth-details'
import { issueAccessToken } from '#shared/domains/oauth/access-token'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byAgent, byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { budgetsOf } from '../budgets.ts'
import type { Ctx } from '../group.ts'
import type { TokenRequest } from '../token-request.ts'
import { disclosedDetails, type TokenSet } from '../token-set.ts'
import type { Narrowed } from './narrow.ts'
import type { Subject } from './subject.ts'

export type Step = {
  readonly subject: Subject
  readonly narrowed: Narrowed
  readonly resource: { readonly id: string; readonly resource: string }
  readonly types: readonly DetailType[]
  /** The budgets of the subject token's details. */
  readonly parents: readonly Budget[]
  readonly event: 'oauth.token_exchanged' | 'oauth.assertion_redeemed'
  readonly jkt: string | undefined
  /** Further writes of the same transaction. */
  readonly also?: (t: TenantTx) => Promise<void>
}

/** The actor of the audit event: the agent, or the client, and the person it acts for. */
export const actorOf = ({ client }: TokenRequest, onBehalfOf: string | undefined) =>
  client.agent === undefined
    ? byClient(client.clientId, onBehalfOf)
    : byAgent(client.clientId, { clientId: client.clientId, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) })

/** Nothing was written; a retry uses the policy as it is now. */
export const policyChanged = (): AppError => new AppError('unavailable', undefined, { retryAfterSeconds: 1 })

const storeStep = (ctx: Ctx, request: TokenRequest, id: string, step: Step): Promise<void> => {
  const { subject, narrowed, resource, types, parents, event } = step
  const at = ctx.clock.now()
  const expiresAt = secondsAfter(at, narrowed.ttlSeconds)
  const details = narrowed.details.map(({ detail }) => detail)
  return atomically(forTenant(ctx.db, request.client.tenantId), async (t) => {
    await step.also?.(t)
    const delegation = {
      id,
      path: [...subject.path, id],
      clientId: request.client.clientId,
      subjectTokenId: subject.tokenId ?? null,
      ...subject.root,
      userId: subject.userId ?? null,
      resourceServerId: resource.id,
      scopes: [...narrowed.scopes],
      details,
      act: narrowed.act ?? null,
      depth: narrowed.depth,
      policyIds: narrowed.policies.map(({ id: policyId }) => policyId),
      createdAt: at,
      expiresAt,
    }
    if (!(await insertDelegation(t, delegation, narrowed.policies))) throw policyChanged()
    await insertBudgets(t, budgetsOf(ctx, { holderId: id, details: narrowed.details, types, parents, at, expiresAt }))
    await recordEvent(t, ctx, {
      event,
      actor: actorOf(request, subject.userId),
      target: { type: 'delegation', id },
      after: {
        subject: subject.sub,
        scopes: narrowed.scopes,
        resource: resource.resource,
        depth: narrowed.depth,
        ...(narrowed.act === undefined ? {} : { act: narrowed.act }),
        ...(details.length === 0 ? {} : { authorization_details: details }),
      },
    })
  })
}

/** Stores the step and issues its token. */
export const issueDelegatedToken = async (ctx: Ctx, request: TokenRequest, step: Step): Promise<TokenSet> => {
  const { subject, narrowed, resource, jkt } = step
  const id = ctx.random.id()
  await storeStep(ctx, request, id, step)
  const details = narrowed.details.map(({ detail }) => detail)
  const token = await issueAccessToken(ctx, {
    tenantId: request.client.tenantId,
    sub: subject.sub,
    clientId: request.client.clientId,
    audience: resource.resource,
    scopes: narrowed.scopes,
    authorizationId: subject.root.authorizationId ?? undefined,
    delegationId: id,
    act: narrowed.act,
    mayAct: narrowed.mayAct,
    details,
    jkt,
    authentication: subject.authentication,
    ttlSeconds: narrowed.ttlSeconds,
  })
  return {
    access_token: token,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: narrowed.ttlSeconds,
    scope: narrowed.scopes.join(' '),
    ...disclosedDetails(details),
  }
}
