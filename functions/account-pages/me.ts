// The actions of a signed-in person on the account pages. The rules are those of /account.
import { atomically, forTenant } from '#db/engine/tenant'
import { listIdentities } from '#db/store/identities'
import { lockUser, updateUser } from '#db/store/users'
import { changePassword, confirmEmailChange, startEmailChange } from '#shared/domains/account/credentials'
import { endOtherSessions, endSession } from '#shared/domains/account/sessions'
import { findPageProviders } from '#shared/domains/federation/page-providers'
import { removeApplication } from '#shared/domains/oauth/consents'
import { signInContextOfUser } from '#shared/domains/sign-in/sign-in-context'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import { HOME, safeReturn } from '#shared/platform/http/pages/return-to'
import { readVisit } from '#shared/platform/http/pages/visit'
import type { HttpResult } from '#shared/platform/http/route'
import type { MailLanguage } from '#shared/platform/outbox/mail/language'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** Names of the external providers connected to the caller, or undefined when there are none and none could be connected. */
export const connectedProviders = async (ctx: Ctx, { tenantId, userId, clientId }: User): Promise<readonly string[] | undefined> => {
  const { upstreams } = await findPageProviders(ctx, signInContextOfUser({ tenantId, clientId }))
  const names = [...new Set((await listIdentities(forTenant(ctx.db, tenantId), userId)).map(({ provider }) => provider))]
  if (upstreams.length === 0 && names.length === 0) return undefined
  return names.map((name) => upstreams.find((upstream) => upstream.name === name)?.displayName ?? name)
}

/** Stores the language with the person and in this browser, and returns to the page it was chosen on. */
export const chooseLanguage = async (ctx: Ctx, principal: User, lang: MailLanguage, returnTo: string | undefined): Promise<HttpResult<undefined>> => {
  await atomically(forTenant(ctx.db, principal.tenantId), async (t) => {
    const user = await lockUser(t, principal.userId)
    if (user === undefined || user.language === lang) return
    await updateUser(t, user.id, { language: lang, updatedAt: ctx.clock.now() })
    const [before, after] = [{ language: user.language }, { language: lang }]
    await recordEvent(t, ctx, { event: 'user.updated', actor: byUser(principal), target: { type: 'user', id: user.id }, before, after })
  })
  return redirect(ctx, safeReturn(returnTo) ?? HOME, { remember: { lang } })
}

export const endOneSession = async (ctx: Ctx, principal: User, sessionId: string): Promise<HttpResult<undefined>> => {
  await endSession(ctx, principal, sessionId)
  return redirect(ctx, HOME, { say: 'session_ended' })
}

export const endOtherOwnSessions = async (ctx: Ctx, principal: User): Promise<HttpResult<undefined>> => {
  await endOtherSessions(ctx, principal)
  return redirect(ctx, HOME, { say: 'others_ended' })
}

/** @throws AppError not_found */
export const removeOwnApplication = async (ctx: Ctx, principal: User, clientId: string): Promise<HttpResult<undefined>> => {
  await removeApplication(ctx, principal, clientId)
  return redirect(ctx, HOME, { say: 'application_removed' })
}

type Passwords = { readonly current_password: string; readonly new_password: string }

/** @throws AppError invalid_credentials, password_unchanged, password_reset_required, temporary_password_expired, password_* */
export const saveOwnPassword = async (
  ctx: Ctx,
  principal: User,
  request: Passwords,
  returnTo: string | undefined,
): Promise<HttpResult<undefined>> => {
  await changePassword(ctx, principal, request)
  return redirect(ctx, safeReturn(returnTo) ?? HOME, { say: 'password_changed' })
}

type NewEmail = { readonly new_email: string; readonly current_password: string }

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, too_many_codes, conflict, quota_exceeded */
export const startOwnEmailChange = async (ctx: Ctx, principal: User, request: NewEmail): Promise<HttpResult<undefined>> => {
  const { change_ticket } = await startEmailChange(withPageOrigin(ctx), principal, request)
  return redirect(ctx, '/me/email/codes', { remember: { held: { email_change: change_ticket } } })
}

/** The handle of the change that this browser started. */
export const pendingEmailChange = (ctx: Ctx): string | undefined => readVisit(ctx)?.held?.email_change

type Codes = { readonly code_new: string; readonly code_current: string }

/** @throws AppError invalid_code, email_taken */
export const confirmOwnEmailChange = async (ctx: Ctx, principal: User, codes: Codes): Promise<HttpResult<undefined>> => {
  const transactionToken = pendingEmailChange(ctx)
  if (transactionToken === undefined) throw new AppError('invalid_code')
  await confirmEmailChange(withPageOrigin(ctx), principal, { ...codes, change_ticket: transactionToken })
  return redirect(ctx, HOME, { say: 'email_changed', remember: { held: undefined } })
}
