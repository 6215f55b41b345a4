// Sign-in and sign-out on our own pages.

import { signOut } from '#shared/domains/account/sessions'
import { SignInContextQuery } from '#shared/domains/sign-in/sign-in-context.schema'
import type { ErrorCode } from '#shared/kernel/errors'
import { browser, page } from '#shared/platform/http/access'
import { NoForm } from '#shared/platform/http/pages/fields.schema'
import { redirect } from '#shared/platform/http/pages/redirect'
import { endedSessionCookie } from '#shared/platform/http/pages/session'
import { signInPath } from '#shared/platform/http/pages/sign-in-path'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ConfirmForm, ConfirmQuery, EmailForm, SignInForm, SignInQuery } from './page.schema.ts'
import { confirmPassword, signInOnPage, submitAddress } from './sign-in.ts'

const READ = page('A person who signs in is not authenticated yet.', { class: 'general' })
export const PASSWORD_ERRORS: readonly ErrorCode[] = [
  'invalid_credentials',
  'password_reset_required',
  'temporary_password_expired',
  'email_not_verified',
  'quota_exceeded',
]
export const SIGN_IN_EVENTS = ['login.first_factor_verified', 'session.created', 'user.signed_in', 'user.signed_out', 'user.locked'] as const

export const signInPageRoutes = [
  route({
    id: 'login.root',
    on: 'GET /',
    summary: 'Redirects to the sign-in page.',
    access: READ,
    reply: empty(303),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx }) => redirect(ctx, '/signin'),
  }),
  route({
    id: 'login.signIn',
    on: 'GET /signin',
    summary: 'The sign-in page: the email address.',
    access: READ,
    query: SignInQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./sign-in.page.tsx')).emailPage(ctx, query, principal),
  }),
  route({
    id: 'login.nameAddress',
    on: 'POST /signin',
    summary: 'Continue with an email address. The answer does not disclose whether it has an account.',
    access: page('Only the owner of the domain of the address is looked up.', { class: 'status' }),
    query: SignInQuery,
    form: EmailForm,
    reply: empty(303),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, query, form }) => submitAddress(ctx, query, form.email),
  }),
  route({
    id: 'login.company',
    on: 'GET /signin/company',
    summary: 'The page with the provider of the organisation that owns the domain of the address.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./company.page.tsx')).companyPage(ctx, query, principal),
  }),
  route({
    id: 'login.password',
    on: 'GET /signin/password',
    summary: 'The sign-in page: the password.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./sign-in.page.tsx')).passwordPage(ctx, query, principal),
  }),
  route({
    id: 'login.checkPassword',
    on: 'POST /signin/password',
    summary: 'Sign in with a password, or go on to the second factor.',
    access: page('The password is the proof.', { class: 'credential', account: 'email' }),
    query: SignInContextQuery,
    form: SignInForm,
    reply: empty(303),
    errors: PASSWORD_ERRORS,
    emits: SIGN_IN_EVENTS,
    handle: ({ ctx, query, form, principal }) => signInOnPage(ctx, query, form, principal),
  }),
  route({
    id: 'login.confirm',
    on: 'GET /confirm',
    summary: 'Answer a demand for a more recent or stronger sign-in (RFC 9470).',
    access: browser(),
    query: ConfirmQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./sign-in.page.tsx')).confirmPage(ctx, query, principal),
  }),
  route({
    id: 'login.confirmPassword',
    on: 'POST /confirm',
    summary: 'Sign in again as the same person.',
    access: browser({ limit: { class: 'credential' } }),
    query: ConfirmQuery,
    form: ConfirmForm,
    reply: empty(303),
    errors: PASSWORD_ERRORS,
    emits: SIGN_IN_EVENTS,
    handle: ({ ctx, query, form, principal }) => confirmPassword(ctx, principal, query, form.password),
  }),
  route({
    id: 'login.signOut',
    on: 'POST /signout',
    summary: 'End the session of this browser.',
    access: browser({ form: '/me', withTemporaryPassword: true }),
    form: NoForm,
    reply: empty(303),
    errors: [],
    emits: ['user.signed_out'],
    handle: async ({ ctx, principal }) => {
      await signOut(ctx, principal)
      return redirect(ctx, signInPath(ctx.request), {
        cookies: [endedSessionCookie(ctx)],
        say: 'signed_out',
        remember: { email: undefined, held: undefined },
      })
    },
  }),
]
