// What a signed-in person does on the account pages. The rules are those of /account.

import { atomically, forTenant } from '#db/engine/tenant'
import { listIdentities } from '#db/store/identities'
import { lockUser, updateUser } from '#db/store/users'
import { changePassword, confirmEmailChange, startEmailChange } from '#shared/domains/account/credentials'
import { endOtherSessions, endSession } from '#shared/domains/account/sessions'
import { offeredOnPage } from '#shared/domains/federation/on-page'
import { doorOfUser } from '#shared/domains/sign-in/sign-in-context'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import { HOME, safeReturn } from '#shared/platform/http/pages/return-to'
import { readVisit } from '#shared/platform/http/pages/visit'
import type { Sent } from '#shared/platform/http/route'
import type { Language } from '#shared/platform/outbox/mail/language'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** By which other providers the caller comes in; undefined where there are none, and none could be connected. */
export const connectedProviders = async (ctx: Ctx, { tenantId, userId, clientId }: User): Promise<readonly string[] | undefined> => {
  const { upstreams } = await offeredOnPage(ctx, doorOfUser({ tenantId, clientId }))
  const names = [...new Set((await listIdentities(forTenant(ctx.db, tenantId), userId)).map(({ provider }) => provider))]
  if (upstreams.length === 0 && names.length === 0) return undefined
  return names.map((name) => upstreams.find((upstream) => upstream.name === name)?.displayName ?? name)
}

/** Kept with the person, and in this browser; the page is the one that it was chosen on. */
export const chooseLanguage = async (ctx: Ctx, principal: User, lang: Language, returnTo: string | undefined): Promise<Sent<undefined>> => {
  await atomically(forTenant(ctx.db, principal.tenantId), async (t) => {
    const user = await lockUser(t, principal.userId)
    if (user === undefined || user.language === lang) return
    await updateUser(t, user.id, { language: lang, updatedAt: ctx.clock.now() })
    const [before, after] = [{ language: user.language }, { language: lang }]
    await record(t, ctx, { event: 'user.updated', actor: byUser(principal), target: { type: 'user', id: user.id }, before, after })
  })
  return sendTo(ctx, safeReturn(returnTo) ?? HOME, { remember: { lang } })
}

export const endOne = async (ctx: Ctx, principal: User, sessionId: string): Promise<Sent<undefined>> => {
  await endSession(ctx, principal, sessionId)
  return sendTo(ctx, HOME, { say: 'session_ended' })
}

export const endOthers = async (ctx: Ctx, principal: User): Promise<Sent<undefined>> => {
  await endOtherSessions(ctx, principal)
  return sendTo(ctx, HOME, { say: 'others_ended' })
}

type Passwords = { readonly current_password: string; readonly new_password: string }

/** @throws AppError invalid_credentials, password_unchanged, password_reset_required, temporary_password_expired, password_* */
export const savePassword = async (ctx: Ctx, principal: User, given: Passwords, returnTo: string | undefined): Promise<Sent<undefined>> => {
  await changePassword(ctx, principal, given)
  return sendTo(ctx, safeReturn(returnTo) ?? HOME, { say: 'password_changed' })
}

type NewEmail = { readonly new_email: string; readonly current_password: string }

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, too_many_codes, conflict, quota_exceeded */
export const startEmail = async (ctx: Ctx, principal: User, given: NewEmail): Promise<Sent<undefined>> => {
  const { change_ticket } = await startEmailChange(onPage(ctx), principal, given)
  return sendTo(ctx, '/me/email/codes', { remember: { held: { email_change: change_ticket } } })
}

/** The change that this browser began. */
export const heldChange = (ctx: Ctx): string | undefined => readVisit(ctx)?.held?.email_change

type Codes = { readonly code_new: string; readonly code_current: string }

/** @throws AppError invalid_code, email_taken */
export const saveEmail = async (ctx: Ctx, principal: User, codes: Codes): Promise<Sent<undefined>> => {
  const ticket = heldChange(ctx)
  if (ticket === undefined) throw new AppError('invalid_code')
  await confirmEmailChange(onPage(ctx), principal, { ...codes, change_ticket: ticket })
  return sendTo(ctx, HOME, { say: 'email_changed', remember: { held: undefined } })
}
