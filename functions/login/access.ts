// Lost passkeys and second factors, on our own pages: a pass from an administrator, or the waiting period. The rules are those of /account/recovery.

import { forTenant, type TenantId } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTenant } from '#db/store/tenants'
import { type Offers, recoveryOffers } from '#shared/domains/factors/recovery-offers'
import type { Stage } from '#shared/domains/factors/stage'
import { readHandle, spentCookie, ticketCookie } from '#shared/domains/login-transaction/login-transaction'
import { recoverWithPass } from '#shared/domains/recovery/pass'
import { askToFinish, finishWaiting, startWaiting, waitingUntil } from '#shared/domains/recovery/waiting'
import { at, findDoor } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { mintFrom, signingIn } from './factor.ts'
import type { Ctx } from './group.ts'

/** Longest wait, and the week after it. */
const KEPT_SECONDS = 37 * 24 * 3600

export type Lost = {
  /** Who proved the password in this browser just now. */
  readonly stage: Stage | undefined
  readonly tenantId: TenantId | undefined
  readonly clientId: string | undefined
  readonly offers: Offers
}

/** At the platform's door nobody is known before the password: there a pass alone, which says whose it is. */
const NOBODY: Offers = { backupCodes: false, administratorPass: true, waitingDays: undefined }

const halfSignedIn = (ctx: Ctx): Promise<Stage | undefined> =>
  signingIn(ctx).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'authentication_required') return undefined
    throw error
  })

export const lostAt = async (ctx: Ctx, asked: DoorAsked): Promise<Lost> => {
  const stage = await halfSignedIn(ctx)
  const door = await findDoor(ctx, asked)
  const tenantId = stage?.tenantId ?? (door.kind === 'tenant' ? door.tenantId : undefined)
  if (tenantId === undefined) return { stage, tenantId, clientId: undefined, offers: NOBODY }
  const t = forTenant(ctx.db, tenantId)
  const ofDoor = door.kind === 'tenant' && door.tenantId === tenantId ? door.clientId : undefined
  const clientId = ofDoor ?? stage?.user.clientId ?? (await findDefaultClient(t))?.id
  return { stage, tenantId, clientId, offers: recoveryOffers(await findTenant(t)) }
}

/** The lost factors are gone; what is owed now is a new one, or nothing. */
const goOn = async (ctx: Ctx, asked: DoorAsked, ticket: string, before: User | undefined): Promise<Sent<undefined>> => {
  const here = onPage(ctx)
  try {
    return await mintFrom(ctx, asked, ticket, before)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'mfa_verification_failed') throw error
  }
  const cookies = [ticketCookie(here, 'login', ticket), spentCookie(here, 'recovery_wait')]
  return sendTo(ctx, at('/signin/enrol', asked), { cookies, say: 'factors_gone' })
}

type Pass = { readonly email: string; readonly pass: string }

/** @throws AppError invalid_recovery, quota_exceeded */
export const usePass = async (ctx: Ctx, asked: DoorAsked, { email, pass }: Pass, before: User | undefined): Promise<Sent<undefined>> =>
  goOn(ctx, asked, await recoverWithPass(onPage(ctx), { pass: pass.trim(), email, loginTicket: undefined }), before)

const WAITING = '/recover/access/waiting'

/** The same for every address. @throws AppError recovery_not_offered, rate_limited */
export const beginWaiting = async (ctx: Ctx, asked: DoorAsked, email: string): Promise<Sent<undefined>> => {
  const { clientId } = await lostAt(ctx, asked)
  if (clientId === undefined) throw new AppError('recovery_not_offered')
  const here = onPage(ctx)
  const { recovery } = await startWaiting(here, { clientId, email, loginTicket: undefined })
  return sendTo(ctx, at(WAITING, asked), { cookies: [ticketCookie(here, 'recovery_wait', recovery, KEPT_SECONDS)] })
}

/** The recovery that this browser began, or whose key was typed in here. */
export const heldRecovery = (ctx: Ctx): string | undefined => readHandle(ctx, 'recovery_wait')?.text

/** @throws AppError invalid_recovery for what is no key of a recovery that waits */
export const holdRecovery = async (ctx: Ctx, asked: DoorAsked, key: string): Promise<Sent<undefined>> => {
  const text = key.trim()
  if ((await waitingUntil(onPage(ctx), text)) === undefined)
    throw new AppError('invalid_recovery', undefined, { field: 'form.recovery', refusal: { event: 'recovery.completed' } })
  return sendTo(ctx, at(WAITING, asked), { cookies: [ticketCookie(onPage(ctx), 'recovery_wait', text, KEPT_SECONDS)] })
}

const required = (ctx: Ctx): string => {
  const held = heldRecovery(ctx)
  if (held === undefined) throw new AppError('invalid_recovery')
  return held
}

/** @throws AppError invalid_recovery, recovery_waiting */
export const mailCode = async (ctx: Ctx, asked: DoorAsked): Promise<Sent<undefined>> => {
  await askToFinish(onPage(ctx), required(ctx))
  return sendTo(ctx, at(WAITING, asked), { say: 'code_sent' })
}

/** @throws AppError invalid_recovery, recovery_waiting, quota_exceeded */
export const finishWithCode = async (ctx: Ctx, asked: DoorAsked, otp: string, before: User | undefined): Promise<Sent<undefined>> =>
  goOn(ctx, asked, await finishWaiting(onPage(ctx), required(ctx), otp), before)
