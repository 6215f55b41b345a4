// The tenant's policy for registering clients without an administrator (RFC 7591 section 3), and its initial access tokens.

import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { deleteRegistrationToken, insertRegistrationToken, listRegistrationTokens, type RegistrationToken } from '#db/store/registered-clients'
import { findTenant, lockTenant, updateTenantSettings } from '#db/store/tenants'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { sha256 } from '#shared/platform/crypto/sha256'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { CreatedRegistrationToken, NewRegistrationToken, RegistrationPolicy, RegistrationTokens } from './registration-policy.schema.ts'

type Policy = z.output<typeof RegistrationPolicy>

export const readRegistrationPolicy = async (ctx: Ctx, caller: User): Promise<Policy> => ({
  mode: (await findTenant(forTenant(ctx.db, caller.tenantId)))?.settings.clientRegistration ?? 'open',
})

export const changeRegistrationPolicy = (ctx: Ctx, caller: User, { mode }: Policy): Promise<Policy> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await lockTenant(t)
    const tenant = await findTenant(t)
    if (tenant === undefined) throw new AppError('not_found')
    await updateTenantSettings(t, { ...tenant.settings, clientRegistration: mode }, ctx.clock.now())
    await recordEvent(t, ctx, {
      event: 'tenant.updated',
      actor: byUser(caller),
      target: { type: 'tenant', id: t.tenantId },
      before: { client_registration: tenant.settings.clientRegistration ?? 'open' },
      after: { client_registration: mode },
    })
    return { mode }
  })

const toResponse = (row: Omit<RegistrationToken, 'tenantId' | 'tokenHash'>) => ({
  id: row.id,
  name: row.name,
  uses_left: row.usesLeft,
  created_at: row.createdAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
})

/** The token is disclosed only in this response. */
export const createToken = async (
  ctx: Ctx,
  caller: User,
  { name, uses, expires_in }: z.output<typeof NewRegistrationToken>,
): Promise<z.input<typeof CreatedRegistrationToken>> => {
  const [id, createdAt, token] = [ctx.random.id(), ctx.clock.now(), `${caller.tenantId}.${randomToken(ctx.random)}`]
  const row = { id, name, usesLeft: uses, createdAt, expiresAt: secondsAfter(createdAt, expires_in) }
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await insertRegistrationToken(t, { ...row, tokenHash: sha256(token) })
    const target = { type: 'registration_token', id }
    await recordEvent(t, ctx, { event: 'registration_token.created', actor: byUser(caller), target, after: { name, uses, expires_in } })
  })
  return { ...toResponse(row), initial_access_token: token }
}

export const listTokens = async (ctx: Ctx, caller: User): Promise<z.input<typeof RegistrationTokens>> => ({
  registration_tokens: (await listRegistrationTokens(forTenant(ctx.db, caller.tenantId), ctx.clock.now())).map(toResponse),
})

/** @throws AppError not_found */
export const deleteToken = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    if (!(await deleteRegistrationToken(t, id))) throw new AppError('not_found')
    await recordEvent(t, ctx, { event: 'registration_token.deleted', actor: byUser(caller), target: { type: 'registration_token', id } })
    return undefined
  })
