// A person's own passkeys: list, name, remove. The answers contain signals with which the page removes a passkey from the password manager too.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { listCounterAlarms, listPasskeys } from '#db/store/passkeys'
import { findUser } from '#db/store/users'
import { removeFactor, renameFactor } from '#shared/domains/factors/manage'
import { providerOf } from '#shared/domains/passkeys/provider'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { userHandleOf } from './options.ts'
import type { CounterAlarms, PasskeyRemoved, Passkeys } from './passkeys.schema.ts'

type Listed = Awaited<ReturnType<typeof listPasskeys>>[number]

const toResponse = ({ passkey, name, lastUsedAt }: Listed): z.input<typeof Passkeys>['passkeys'][number] => {
  const provider = providerOf(passkey.aaguid)
  return {
    id: passkey.factorId,
    credential_id: passkey.credentialId,
    name,
    ...(provider === undefined ? {} : { provider }),
    rp_id: passkey.rpId,
    transports: passkey.transports,
    synced: passkey.backupEligible,
    backed_up: passkey.backedUp,
    user_verified: passkey.userVerified,
    ...(passkey.discoverable === null ? {} : { discoverable: passkey.discoverable }),
    created_at: passkey.createdAt.toISOString(),
    ...(lastUsedAt === null ? {} : { last_used_at: lastUsedAt.toISOString() }),
    ...(passkey.counterAlarmAt === null ? {} : { counter_alarm_at: passkey.counterAlarmAt.toISOString() }),
  }
}

type Signals = z.input<typeof Passkeys>['signals']

/** Signals by relying party; `also` names relying parties that may have no passkey left. */
const signalsOf = async (ctx: Ctx, caller: User, all: readonly Listed[], also: readonly string[] = []): Promise<Signals> => {
  const user = await findUser(forTenant(ctx.db, caller.tenantId), caller.userId)
  const rpIds = new Set([...all.map(({ passkey }) => passkey.rpId), ...also])
  return [...rpIds].map((rpId) => ({
    rp_id: rpId,
    user_id: userHandleOf(caller.userId),
    all_accepted_credential_ids: all.filter(({ passkey }) => passkey.rpId === rpId).map(({ passkey }) => passkey.credentialId),
    name: user?.email ?? caller.email,
    display_name: user?.name || caller.email,
  }))
}

export const showOwnPasskeys = async (ctx: Ctx, caller: User): Promise<z.input<typeof Passkeys>> => {
  const all = await listPasskeys(forTenant(ctx.db, caller.tenantId), caller.userId)
  return { passkeys: all.map(toResponse), signals: await signalsOf(ctx, caller, all) }
}

const ownPasskey = async (ctx: Ctx, caller: User, id: string): Promise<Listed> => {
  const found = (await listPasskeys(forTenant(ctx.db, caller.tenantId), caller.userId)).find(({ passkey }) => passkey.factorId === id)
  if (found === undefined) throw new AppError('not_found')
  return found
}

/** Routes that call this emit `factor.renamed`. @throws AppError not_found */
export const renamePasskey = async (ctx: Ctx, caller: User, id: string, name: string): Promise<z.input<typeof Passkeys>> => {
  await ownPasskey(ctx, caller, id)
  await renameFactor(ctx, caller, id, name)
  return showOwnPasskeys(ctx, caller)
}

/** Routes that call this emit `factor.removed`. @throws AppError not_found, insufficient_user_authentication, last_factor, weaker_factors_remain */
export const removePasskey = async (ctx: Ctx, caller: User, id: string, acceptWeaker: boolean): Promise<z.input<typeof PasskeyRemoved>> => {
  const { passkey } = await ownPasskey(ctx, caller, id)
  await removeFactor(ctx, caller, { id, acceptWeaker })
  const left = await listPasskeys(forTenant(ctx.db, caller.tenantId), caller.userId)
  return {
    success: true,
    unknown: { rp_id: passkey.rpId, credential_id: passkey.credentialId },
    signals: await signalsOf(ctx, caller, left, [passkey.rpId]),
  }
}

export const counterAlarms = async (ctx: Ctx, caller: User): Promise<z.input<typeof CounterAlarms>> => {
  const alarms = await listCounterAlarms(forTenant(ctx.db, caller.tenantId))
  return { alarms: alarms.map(({ id, userId, email, name, at }) => ({ id, user_id: userId, email, name, at: at.toISOString() })) }
}
