// The second step of a sign-in, on our own pages.

import { confirmAppSetup, ENROL_ERRORS } from '#shared/domains/factors/page-enrolment'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import { SignInContextQuery } from '#shared/domains/sign-in/sign-in-context.schema'
import type { ErrorCode } from '#shared/kernel/errors'
import { page } from '#shared/platform/http/access'
import { AppCodeForm, NoForm } from '#shared/platform/http/pages/fields.schema'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { checkFactor, loadSignInFactorContext, mintSession, proveMailbox, sendMailboxProof, sendSms } from './factor.ts'
import { route } from './group.ts'
import { CodeForm, FactorForm, FactorQuery } from './page.schema.ts'

const TICKET = 'The login transaction is the proof.'
const READ = page(TICKET, { class: 'general' })
const CODE = page(TICKET, { class: 'code' })
const MINTS: readonly ErrorCode[] = ['authentication_required', 'mfa_verification_failed', 'quota_exceeded']
const SESSION = ['session.created', 'user.signed_in', 'user.signed_out'] as const

export const loginFactorRoutes = [
  route({
    id: 'login.factor',
    on: 'GET /signin/factor',
    summary: 'The page of the second step.',
    access: READ,
    query: FactorQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./factor.page.tsx')).factorPage(ctx, query),
  }),
  route({
    id: 'login.checkFactor',
    on: 'POST /signin/factor',
    summary: 'Finish the sign-in with a code.',
    access: CODE,
    query: FactorQuery,
    form: FactorForm,
    reply: empty(303),
    errors: [
      ...MINTS,
      'invalid_totp_code',
      'totp_not_enabled',
      'factor_paused',
      'sms_not_enabled',
      'invalid_sms_code',
      'sms_code_expired',
      'sms_attempts_used',
    ],
    emits: [...SESSION, 'factor.verified', 'factor.paused', 'backup_code.used'],
    handle: ({ ctx, query, form, principal }) => checkFactor(ctx, query, form.code, principal),
  }),
  route({
    id: 'login.sendSms',
    on: 'POST /signin/factor/sms',
    summary: 'Send a code to the phone.',
    access: page(TICKET, { class: 'code' }, { form: '/signin/factor' }),
    query: SignInContextQuery,
    form: NoForm,
    reply: empty(303),
    errors: ['authentication_required', 'sms_not_enabled', 'factor_paused', 'too_many_sms', 'sms_failed', 'sms_number_refused', 'sms_not_configured'],
    emits: ['sms_code.sent', 'sms.quota_exceeded'],
    handle: ({ ctx, query }) => sendSms(ctx, query),
  }),
  route({
    id: 'login.mailbox',
    on: 'GET /signin/mailbox',
    summary: 'The page to prove the mailbox before a first factor.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./factor.page.tsx')).mailboxPage(ctx, query, principal),
  }),
  route({
    id: 'login.sendMailboxCode',
    on: 'POST /signin/mailbox/send',
    summary: 'Mail the code that proves the mailbox.',
    access: page(TICKET, { class: 'code' }, { form: '/signin/mailbox' }),
    query: SignInContextQuery,
    form: NoForm,
    reply: empty(303),
    errors: ['authentication_required', 'too_many_codes', 'quota_exceeded'],
    emits: ['mailbox.proof_requested'],
    handle: ({ ctx, query, principal }) => sendMailboxProof(ctx, query, principal),
  }),
  route({
    id: 'login.proveMailbox',
    on: 'POST /signin/mailbox',
    summary: 'Prove the mailbox with the code.',
    access: CODE,
    query: SignInContextQuery,
    form: CodeForm,
    reply: empty(303),
    errors: ['authentication_required', 'invalid_code'],
    emits: ['mailbox.proved'],
    handle: ({ ctx, query, form, principal }) => proveMailbox(ctx, query, form.otp, principal),
  }),
  route({
    id: 'login.enrol',
    on: 'GET /signin/enrol',
    summary: 'The page to add a first authenticator app, where a factor is required.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: ['insufficient_user_authentication'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./factor.page.tsx')).enrolPage(ctx, query),
  }),
  route({
    id: 'login.confirmEnrolment',
    on: 'POST /signin/enrol',
    summary: 'Add the app; answers the page with the backup codes, once.',
    access: CODE,
    query: SignInContextQuery,
    form: AppCodeForm,
    reply: htmlOrRedirect(),
    errors: ENROL_ERRORS,
    emits: ['factor.added'],
    handle: async ({ ctx, query, form }) => {
      const factorContext = await loadSignInFactorContext(ctx)
      const codes = await confirmAppSetup(ctx, undefined, form.code)
      return (await import('#shared/domains/factors/app-setup.page.tsx')).backupCodesPage(ctx, {
        codes,
        principal: undefined,
        next: withSignInContext('/signin/finish', query),
        factorContext,
      })
    },
  }),
  route({
    id: 'login.finishSignIn',
    on: 'POST /signin/finish',
    summary: 'Finish a sign-in in which every required factor was verified.',
    access: page(TICKET, { class: 'code' }, { form: '/signin/factor' }),
    query: SignInContextQuery,
    form: NoForm,
    reply: empty(303),
    errors: MINTS,
    emits: SESSION,
    handle: ({ ctx, query, principal }) => mintSession(ctx, query, principal),
  }),
]
