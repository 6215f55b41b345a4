// A person's own pages.

import { NoForm, PageQuery } from '#shared/browser/fields.schema'
import { browser } from '#shared/http/access'
import { empty, htmlOrGo } from '#shared/http/route'
import { PASSWORD_RULE_ERRORS } from '#shared/password/rule-errors'
import { route } from './group.ts'
import { ChangeEmailForm, ChangePasswordForm, EmailCodesForm, ReturnQuery, SessionForm } from './page.schema.ts'

const REAUTHENTICATION = ['invalid_credentials', 'password_reset_required', 'temporary_password_expired'] as const

export const meRoutes = [
  route({
    id: 'accountPages.me',
    on: 'GET /me',
    summary: 'The caller\u2019s sign-in methods and sessions.',
    access: browser(),
    query: PageQuery,
    reply: htmlOrGo(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./me.page.tsx')).mePage(ctx, principal),
  }),
  route({
    id: 'accountPages.endSession',
    on: 'POST /me/sessions/end',
    summary: 'End one of the caller\u2019s sessions.',
    access: browser({ form: '/me' }),
    form: SessionForm,
    reply: empty(303),
    errors: ['not_found'],
    emits: ['session.revoked'],
    handle: async ({ ctx, principal, form }) => (await import('./me.ts')).endOne(ctx, principal, form.session_id),
  }),
  route({
    id: 'accountPages.endOtherSessions',
    on: 'POST /me/sessions/end-others',
    summary: 'End all of the caller\u2019s sessions but this one.',
    access: browser({ form: '/me' }),
    form: NoForm,
    reply: empty(303),
    errors: [],
    emits: ['sessions.revoked'],
    handle: async ({ ctx, principal }) => (await import('./me.ts')).endOthers(ctx, principal),
  }),
  route({
    id: 'accountPages.changePassword',
    on: 'GET /me/password',
    summary: 'The page to change the password.',
    access: browser({ withTemporaryPassword: true }),
    query: ReturnQuery,
    reply: htmlOrGo(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await import('./me.page.tsx')).changePasswordPage(ctx, principal, query.return_to),
  }),
  route({
    id: 'accountPages.savePassword',
    on: 'POST /me/password',
    summary: 'Change the password; all other sessions end.',
    access: browser({ limit: { class: 'credential' }, withTemporaryPassword: true }),
    query: ReturnQuery,
    form: ChangePasswordForm,
    reply: empty(303),
    errors: [...REAUTHENTICATION, ...PASSWORD_RULE_ERRORS, 'password_unchanged'],
    emits: ['user.password_changed', 'user.locked'],
    handle: async ({ ctx, principal, query, form }) => (await import('./me.ts')).savePassword(ctx, principal, form, query.return_to),
  }),
  route({
    id: 'accountPages.changeEmail',
    on: 'GET /me/email',
    summary: 'The page to change the address.',
    access: browser(),
    query: PageQuery,
    reply: htmlOrGo(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./me.page.tsx')).changeEmailPage(ctx, principal),
  }),
  route({
    id: 'accountPages.startEmailChange',
    on: 'POST /me/email',
    summary: 'Begin a change of address: codes go to the new and the old one.',
    access: browser({ limit: { class: 'credential' } }),
    form: ChangeEmailForm,
    reply: empty(303),
    errors: [...REAUTHENTICATION, 'too_many_codes', 'conflict', 'quota_exceeded'],
    emits: ['user.email_change_requested', 'user.locked'],
    handle: async ({ ctx, principal, form }) => (await import('./me.ts')).startEmail(ctx, principal, form),
  }),
  route({
    id: 'accountPages.emailCodes',
    on: 'GET /me/email/codes',
    summary: 'The page for both codes.',
    access: browser(),
    query: PageQuery,
    reply: htmlOrGo(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./me.page.tsx')).emailCodesPage(ctx, principal),
  }),
  route({
    id: 'accountPages.saveEmail',
    on: 'POST /me/email/codes',
    summary: 'Finish a change of address with both codes.',
    access: browser({ limit: { class: 'code' } }),
    form: EmailCodesForm,
    reply: empty(303),
    errors: ['invalid_code', 'email_taken'],
    emits: ['user.email_changed'],
    handle: async ({ ctx, principal, form }) => (await import('./me.ts')).saveEmail(ctx, principal, form),
  }),
]
