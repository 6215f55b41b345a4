// A forgotten password, on our own pages.

import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { SignInContextQuery } from '#shared/domains/sign-in/sign-in-context.schema'
import { page } from '#shared/platform/http/access'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CodeForm, EmailForm, NewPasswordForm } from './page.schema.ts'

const READ = page('A person who forgot the password cannot sign in.', { class: 'general' })

export const recoverRoutes = [
  route({
    id: 'login.recover',
    on: 'GET /recover',
    summary: 'The page for a forgotten password.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./recover.page.tsx')).recoverPage(ctx, query),
  }),
  route({
    id: 'login.askForResetCode',
    on: 'POST /recover',
    summary: 'Mail a code, if there is an account; the answer is the same.',
    access: page('The answer is the same for every address.', { class: 'code', account: 'email' }),
    query: SignInContextQuery,
    form: EmailForm,
    reply: empty(303),
    errors: [],
    emits: ['user.password_reset_requested'],
    handle: async ({ ctx, query, form }) => (await import('./recover.ts')).sendResetCode(ctx, query, form.email),
  }),
  route({
    id: 'login.resetCode',
    on: 'GET /recover/code',
    summary: 'The page for the mailed code.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./recover.page.tsx')).recoverCodePage(ctx, query),
  }),
  route({
    id: 'login.checkResetCode',
    on: 'POST /recover/code',
    summary: 'Prove the mailbox with the code.',
    access: page('The mailed code is the proof.', { class: 'code', account: 'email' }),
    query: SignInContextQuery,
    form: CodeForm,
    reply: empty(303),
    errors: ['invalid_code'],
    emits: ['user.password_reset_verified'],
    handle: async ({ ctx, query, form }) => (await import('./recover.ts')).checkResetCode(ctx, query, form.email, form.otp),
  }),
  route({
    id: 'login.newPassword',
    on: 'GET /recover/password',
    summary: 'The page for the new password.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./recover.page.tsx')).newPasswordPage(ctx, query),
  }),
  route({
    id: 'login.resetPassword',
    on: 'POST /recover/password',
    summary: 'Set the new password; all sessions end.',
    access: page('The verified code is the proof.', { class: 'credential', account: 'email' }),
    query: SignInContextQuery,
    form: NewPasswordForm,
    reply: empty(303),
    errors: ['reset_not_verified', ...PASSWORD_RULE_ERRORS],
    emits: ['user.password_reset', 'factors.reset'],
    handle: async ({ ctx, query, form }) => (await import('./recover.ts')).saveNewPassword(ctx, query, form.email, form.new_password),
  }),
]
