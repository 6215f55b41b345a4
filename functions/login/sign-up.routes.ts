// Signing up on our own pages.

import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { SignInContextQuery } from '#shared/domains/sign-in/sign-in-context.schema'
import type { ErrorCode } from '#shared/kernel/errors'
import { page } from '#shared/platform/http/access'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CodeForm, EmailForm, SignUpForm } from './page.schema.ts'

const READ = page('A person who signs up has no account yet.', { class: 'general' })
const CLOSED: readonly ErrorCode[] = ['sign_up_closed', 'single_tenant', 'tenant_domain_taken', 'invalid_client', 'quota_exceeded']

export const signUpPageRoutes = [
  route({
    id: 'login.signUp',
    on: 'GET /signup',
    summary: 'The sign-up page, for a company or for a person of a company.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./sign-up.page.tsx')).signUpPage(ctx, query, principal),
  }),
  route({
    id: 'login.startSignUp',
    on: 'POST /signup',
    summary: 'Begin a sign-up; a code goes to the address.',
    access: page('A person who signs up has no account yet.', { class: 'credential', account: 'email' }),
    query: SignInContextQuery,
    form: SignUpForm,
    reply: empty(303),
    errors: [...CLOSED, ...PASSWORD_RULE_ERRORS, 'tenant_domain_invalid', 'too_many_codes'],
    emits: ['registration.started'],
    handle: async ({ ctx, query, form }) => (await import('./sign-up.ts')).startSignUpOnPage(ctx, query, form),
  }),
  route({
    id: 'login.signUpCode',
    on: 'GET /signup/code',
    summary: 'The page for the mailed code.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./sign-up.page.tsx')).signUpCodePage(ctx, query, principal),
  }),
  route({
    id: 'login.finishSignUp',
    on: 'POST /signup/code',
    summary: 'Finish the sign-up with the mailed code.',
    access: page('The mailed code is the proof.', { class: 'code', account: 'email' }),
    query: SignInContextQuery,
    form: CodeForm,
    reply: empty(303),
    errors: [...CLOSED, 'registration_expired', 'invalid_otp', 'email_taken'],
    emits: ['tenant.created', 'user.created', 'client.created'],
    handle: async ({ ctx, query, form }) => (await import('./sign-up.ts')).finishSignUpOnPage(ctx, query, form.email, form.otp),
  }),
  route({
    id: 'login.anotherSignUpCode',
    on: 'POST /signup/code/again',
    summary: 'Mail another code for a pending sign-up.',
    access: page('The answer is the same for every address.', { class: 'code', account: 'email' }, { form: '/signup/code' }),
    query: SignInContextQuery,
    form: EmailForm,
    reply: empty(303),
    errors: ['sign_up_closed', 'too_many_codes'],
    emits: ['registration.started'],
    handle: async ({ ctx, query, form }) => (await import('./sign-up.ts')).resendSignUpCode(ctx, query, form.email),
  }),
]
