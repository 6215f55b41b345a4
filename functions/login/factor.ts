// The second step of a sign-in, on our own pages: what somebody has, after the password. The rules are those of every other door.

import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { findPhones } from '#db/store/sms'
import { finish } from '#shared/domains/account/page-session'
import { type Stage, stageOf } from '#shared/domains/factors/stage'
import { verifyTotp } from '#shared/domains/factors/totp'
import { VERIFIED } from '#shared/domains/factors/verify'
import { spentCookie } from '#shared/domains/login-transaction/login-transaction'
import { administers } from '#shared/domains/sign-in/administers'
import { mintFromTicket } from '#shared/domains/sign-in/mint-from-ticket'
import { at, findDoor } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** Loaded for whom a code is sent. */
const sms = () => import('#shared/domains/factors/sms')
const mailbox = () => import('#shared/domains/factors/mailbox')

export type FactorAsked = DoorAsked & { readonly by?: 'app' | 'sms' | 'backup' | undefined }

/** Who is half signed in: by the login ticket of this browser alone, never by a session that lies beside it. @throws AppError authentication_required */
export const signingIn = (ctx: Ctx): Promise<Stage> => stageOf(onPage(ctx), undefined, {}, VERIFIED)

export type OwnFactors = { readonly kinds: ReadonlySet<string>; readonly phone: string | undefined }
export const factorsOf = async (ctx: Ctx, { tenantId, user }: Pick<Stage, 'tenantId' | 'user'>): Promise<OwnFactors> => {
  const t = forTenant(ctx.db, tenantId)
  const factors = await findFactors(t, user.id)
  const sms = factors.find(({ kind }) => kind === 'sms')
  const [phone] = sms === undefined ? [] : await findPhones(t, [sms.id])
  return { kinds: new Set(factors.map(({ kind }) => kind)), phone: phone?.display }
}

/** The session begins, if everything that is owed was verified under that ticket: this browser's own, unless one is named. */
const begin = async (ctx: Ctx, asked: DoorAsked, who: Pick<Stage, 'tenantId' | 'user'>, ticket: string | undefined, before: User | undefined) => {
  const here = onPage(ctx)
  const { tenantId, user } = who
  const door = await findDoor(ctx, asked)
  const minted = await mintFromTicket(here, {
    email: user.email,
    tenantId,
    ticket,
    // At the platform's door administrators come in; whoever confirms an own session is in already.
    admits: async (t, who) => door.kind !== 'platform' || before?.userId === who.id || administers(t, ctx, who.id),
  })
  return finish(ctx, { minted, cookies: [spentCookie(here, 'login')], returnTo: asked.return_to, before, temporaryPassword: user.temporaryPassword })
}

/** Everything that is owed is verified: the session begins. @throws AppError authentication_required, mfa_verification_failed, quota_exceeded */
export const mint = async (ctx: Ctx, asked: DoorAsked, before: User | undefined): Promise<Sent<undefined>> =>
  begin(ctx, asked, await signingIn(ctx), undefined, before)

/** The same with a ticket that was just opened. @throws AppError authentication_required, mfa_verification_failed, quota_exceeded */
export const mintFrom = async (ctx: Ctx, asked: DoorAsked, ticket: string, before: User | undefined): Promise<Sent<undefined>> =>
  begin(ctx, asked, await stageOf(onPage(ctx), undefined, { login_ticket: ticket }, VERIFIED), ticket, before)

/** @throws AppError authentication_required, invalid_totp_code, totp_not_enabled, invalid_sms_code, sms_*, factor_paused, mfa_verification_failed */
export const checkFactor = async (ctx: Ctx, asked: FactorAsked, code: string, before: User | undefined): Promise<Sent<undefined>> => {
  const stage = await signingIn(ctx)
  const here = onPage(ctx)
  if (asked.by === 'sms') await (await sms()).verifySms({ ...here, sms: ctx.sms }, stage, code)
  else await verifyTotp(here, stage, code)
  return mint(ctx, asked, before)
}

export const factorPath = (asked: FactorAsked, by: FactorAsked['by']): string => {
  const path = at('/signin/factor', asked)
  return by === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}by=${by}`
}

/** @throws AppError authentication_required, sms_not_enabled, factor_paused, too_many_sms, rate_limited, sms_failed, sms_number_refused, sms_not_configured */
export const sendSms = async (ctx: Ctx, asked: DoorAsked): Promise<Sent<undefined>> => {
  await (await sms()).requestSms({ ...onPage(ctx), sms: ctx.sms }, await signingIn(ctx))
  return sendTo(ctx, factorPath(asked, 'sms'), { say: 'code_sent' })
}

/** Whose mailbox it is: of who is half signed in, else of who is signed in. @throws AppError authentication_required */
export const mailboxOwner = async (ctx: Ctx, principal: User | undefined): Promise<Stage> =>
  signingIn(ctx).catch((error: unknown) => {
    if (principal === undefined) throw error
    return stageOf(onPage(ctx), principal, {}, 'mailbox.proved')
  })

/** @throws AppError authentication_required, too_many_codes, quota_exceeded */
export const sendMailbox = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined): Promise<Sent<undefined>> => {
  await (await mailbox()).sendMailboxCode(onPage(ctx), await mailboxOwner(ctx, principal))
  return sendTo(ctx, at('/signin/mailbox', asked), { say: 'code_sent' })
}

/** @throws AppError authentication_required, invalid_code */
export const proveMailbox = async (ctx: Ctx, asked: DoorAsked, otp: string, principal: User | undefined): Promise<Sent<undefined>> => {
  const stage = await mailboxOwner(ctx, principal)
  await (await mailbox()).confirmMailbox(onPage(ctx), stage, otp)
  return sendTo(ctx, stage.by.kind === 'session' ? '/me/app' : at('/signin/enrol', asked))
}
