// Rotation of client secrets. Their reader can act as the client, so rotating takes every right that the client has.

import type { TenantTx } from '#db/engine/tenant'
import { type Client, type ClientSecrets, lockClient, lockClientSecrets, updateClient, updateClientSecrets } from '#db/store/clients'
import { actAsGrantor, type GrantorPermissions } from '#shared/domains/authority/access-change'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { newClientSecret, newSdkSecret, sdkClientId } from '#shared/domains/clients/secrets'
import type { RequestCtx as Ctx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { addServiceAccount } from './clients.ts'

/** The next set of secrets. Pure. @throws AppError rotation_in_progress when another rotation would end an overlap early */
export const rotatedSecrets = (
  now: ClientSecrets,
  created: { readonly secretHash: Uint8Array | null; readonly sdkSecretHash: Uint8Array },
  { at, overlapSeconds }: { readonly at: Date; readonly overlapSeconds: number },
): ClientSecrets => {
  if (overlapSeconds === 0) return { ...created, previousSecretHash: null, previousSdkSecretHash: null, previousValidUntil: null }
  if (now.previousValidUntil !== null && now.previousValidUntil > at) throw new AppError('rotation_in_progress')
  const had = now.secretHash !== null || now.sdkSecretHash !== null
  return {
    ...created,
    previousSecretHash: now.secretHash,
    previousSdkSecretHash: now.sdkSecretHash,
    previousValidUntil: had ? secondsAfter(at, overlapSeconds) : null,
  }
}

/** Locks the client and requires the rights to rotate. @throws AppError not_found, public_client, cannot_grant */
const lockRotatable = async (t: TenantTx, ctx: Ctx, grantable: GrantorPermissions, clientId: string): Promise<Client> => {
  const row = await lockClient(t, clientId)
  if (row === undefined || row.status === 'Deleted') throw new AppError('not_found')
  if (row.isPublic) throw new AppError('public_client')
  await requireRightsOverClient(t, ctx, grantable, row)
  // The tenant's default client gets its first secrets and its service account here.
  if (row.serviceAccountId === null) await updateClient(t, clientId, { serviceAccountId: await addServiceAccount(t, ctx, clientId, row.name) })
  return row
}

export type RotatedSecrets = {
  readonly client_id: string
  readonly secret_id?: string
  readonly sdk_client_id: string
  readonly previous_valid_until: string | null
}
type Grantor = { readonly caller: User; readonly grantable: GrantorPermissions }

/**
 * Issues new secrets. Call in a change of the tenant. Routes that call this emit `client.secret_rotated`.
 * @throws AppError not_found, public_client, cannot_grant, rotation_in_progress
 */
export const issueSecrets = async (
  t: TenantTx,
  ctx: Ctx,
  { caller, grantable }: Grantor,
  clientId: string,
  overlapSeconds: number,
): Promise<RotatedSecrets> => {
  const row = await lockRotatable(t, ctx, grantable, clientId)
  const now = await lockClientSecrets(t, clientId)
  if (now === undefined) throw new AppError('not_found')
  const secret = row.clientType === 'ai_agent' ? undefined : newClientSecret(ctx.random)
  const sdk = newSdkSecret(ctx.random)
  const created = { secretHash: secret?.hash ?? null, sdkSecretHash: sdk.hash }
  const next = rotatedSecrets(now, created, { at: ctx.clock.now(), overlapSeconds })
  await updateClientSecrets(t, clientId, next)
  const until = next.previousValidUntil?.toISOString() ?? null
  const target = { type: 'client', id: clientId }
  await recordEvent(t, ctx, { event: 'client.secret_rotated', actor: byUser(caller), target, after: { previous_valid_until: until } })
  return {
    client_id: clientId,
    ...(secret ? { secret_id: secret.secret } : {}),
    sdk_client_id: sdkClientId(clientId, sdk.secret),
    previous_valid_until: until,
  }
}

/** @throws AppError not_found, public_client, cannot_grant, rotation_in_progress */
export const rotateClientSecrets = async (
  ctx: Ctx,
  caller: User,
  clientId: string,
  request: { readonly overlap_seconds: number },
): Promise<RotatedSecrets> =>
  actAsGrantor(ctx, caller, (t, grantable) => issueSecrets(t, ctx, { caller, grantable }, clientId, request.overlap_seconds))
