// Routes to change a person's own password and address.
import { changePassword, confirmEmailChange, startEmailChange } from '#shared/domains/account/credentials'
import { ChangeEmail, ChangePassword, ConfirmEmail, EmailChanged, EmailChangeStarted } from '#shared/domains/account/credentials.schema'
import type { ErrorCode } from '#shared/kernel/errors'
import { user, userWithTemporaryPassword } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'

export const NEW_PASSWORD_ERRORS: readonly ErrorCode[] = ['password_too_short', 'password_too_long', 'password_guessable', 'password_breached']
const REAUTHENTICATION: readonly ErrorCode[] = ['invalid_credentials', 'password_reset_required', 'temporary_password_expired']

export const credentialRoutes = [
  route({
    id: 'account.changePassword',
    on: 'POST /account/password',
    summary: 'Change the caller\u2019s password; all other sessions end.',
    access: userWithTemporaryPassword({ class: 'credential' }),
    body: ChangePassword,
    reply: empty(204),
    errors: [...REAUTHENTICATION, ...NEW_PASSWORD_ERRORS, 'password_unchanged'],
    emits: ['user.password_changed', 'user.locked'],
    handle: ({ ctx, principal, body }) => changePassword(ctx, principal, body),
  }),
  route({
    id: 'account.changeEmail',
    on: 'POST /account/email',
    summary: 'Start a change of address: codes go to the new and the old address.',
    access: user(undefined, { class: 'credential' }),
    body: ChangeEmail,
    reply: json(202, EmailChangeStarted),
    errors: [...REAUTHENTICATION, 'too_many_codes', 'conflict', 'quota_exceeded'],
    emits: ['user.email_change_requested', 'user.locked'],
    handle: ({ ctx, principal, body }) => startEmailChange(ctx, principal, body),
  }),
  route({
    id: 'account.confirmEmail',
    on: 'POST /account/email/confirm',
    summary: 'Finish a change of address with both codes.',
    access: user(undefined, { class: 'code' }),
    body: ConfirmEmail,
    reply: json(200, EmailChanged),
    errors: ['invalid_code', 'email_taken'],
    emits: ['user.email_changed'],
    handle: ({ ctx, principal, body }) => confirmEmailChange(ctx, principal, body),
  }),
]
