// Issues the code after the person has consented: consent, authorization and audit event are written together.

import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { authorizeClient } from '#db/store/oauth-authorizations'
import { type DetailType, insertBudgets } from '#db/store/oauth-details'
import { auditedDetails } from '#shared/domains/oauth/details'
import { newHandle } from '#shared/domains/oauth/handles'
import { secondsAfter } from '#shared/kernel/clock'
import { onSnapshot, SnapshotChanged } from '#shared/kernel/snapshot'
import { type AuditEntry, byUser, prepareAuditEvents } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { admitClient } from './admission.ts'
import type { ValidatedRequest } from './authorization-request.ts'
import { ownBudgets } from './budgets.ts'
import type { Ctx } from './group.ts'

const CODE_SECONDS = 60

type More = {
  /** False where the person does not want the consent to be remembered. */
  readonly remember?: boolean
  /** Further writes of the same transaction. */
  readonly also?: (t: TenantTx) => Promise<void>
}

/** The code that the client gets. */
export const issueCode = async (
  ctx: Ctx,
  j: ValidatedRequest,
  principal: User,
  scopes: readonly string[],
  types: readonly DetailType[],
  { remember = true, also }: More = {},
): Promise<string> => {
  const { client, redirectUri } = j
  const [at, code, id] = [ctx.clock.now(), newHandle(ctx, client.tenantId), ctx.random.id()]
  const codeExpiresAt = secondsAfter(at, CODE_SECONDS)
  const t = forTenant(ctx.db, client.tenantId)
  const owner = { userId: principal.userId, clientId: client.clientId, resourceServerId: j.resource?.id ?? null }
  const authorization = {
    id,
    grantId: ctx.random.id(),
    ...owner,
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
  const event: AuditEntry = {
    event: 'oauth.authorized',
    actor: byUser(principal),
    target: { type: 'client', id: client.clientId },
    after: { authorization_id: id, scopes, resource: j.resource?.resource ?? null, ...auditedDetails(j.details) },
  }
  const write = async (own: TenantDb): Promise<void> => {
    if (!(await authorizeClient(own, authorization, remember, await prepareAuditEvents(own, ctx, event)))) throw new SnapshotChanged()
  }
  const needsTransaction = also !== undefined || client.registeredBy !== 'administrator' || j.details.length > 0
  const writeAll = async (tx: TenantTx): Promise<void> => {
    await also?.(tx)
    await admitClient(tx, client, owner.resourceServerId, at)
    await write(tx)
    await insertBudgets(tx, ownBudgets(ctx, { holderId: id, details: j.details, types, at }))
  }
  await onSnapshot(() => (needsTransaction ? atomically(t, writeAll) : write(t)))
  return code.text
}
