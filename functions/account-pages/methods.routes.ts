// Routes of a person's own second factors on the hosted pages.

import { confirmAppSetup, ENROL_ERRORS, restartTotpSetup } from '#shared/domains/factors/page-enrolment'
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import { browser } from '#shared/platform/http/access'
import { AppCodeForm, NoForm, PageQuery } from '#shared/platform/http/pages/fields.schema'
import { redirect } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import { applicationOf } from '#shared/platform/http/pages/sign-in-path'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AlarmForm, FactorIdForm, MethodQuery, PhoneForm } from './page.schema.ts'

const RECENT = { withinSeconds: STEP_UP_SECONDS } as const
const PHONE_ERRORS = ['mailbox_proof_required', 'insufficient_user_authentication', 'authentication_required'] as const
const WITH_FACTOR = { withinSeconds: STEP_UP_SECONDS, acr: 'aal2' } as const

export const methodRoutes = [
  route({
    id: 'accountPages.addApp',
    on: 'GET /me/app',
    summary: 'The page to add an authenticator app.',
    access: browser({ stepUp: RECENT }),
    query: PageQuery,
    reply: htmlOrRedirect(),
    errors: ['mailbox_proof_required', 'insufficient_user_authentication', 'authentication_required'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) =>
      (await import('#shared/domains/factors/app-setup.page.tsx')).appSetupPage(
        ctx,
        principal,
        { action: '/me/app/again' },
        withSignInContext('/signin/mailbox', { client_id: applicationOf(ctx.request) }),
      ),
  }),
  route({
    id: 'accountPages.addAppAgain',
    on: 'POST /me/app/again',
    summary: 'Start again with a new key; a key that was scanned before is void.',
    access: browser({ stepUp: RECENT, form: '/me/app' }),
    form: NoForm,
    reply: empty(303),
    errors: ['mailbox_proof_required', 'insufficient_user_authentication', 'authentication_required'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => {
      await restartTotpSetup(ctx, principal)
      return redirect(ctx, '/me/app')
    },
  }),
  route({
    id: 'accountPages.confirmApp',
    on: 'POST /me/app',
    summary: 'Add the app and return the page with the backup codes, which appear only once.',
    access: browser({ stepUp: RECENT, limit: { class: 'code' } }),
    form: AppCodeForm,
    reply: htmlOrRedirect(),
    errors: ENROL_ERRORS,
    emits: ['factor.added'],
    handle: async ({ ctx, principal, form }) =>
      (await import('#shared/domains/factors/app-setup.page.tsx')).backupCodesPage(ctx, {
        codes: await confirmAppSetup(ctx, principal, form.code),
        principal,
        next: HOME,
      }),
  }),
  route({
    id: 'accountPages.method',
    on: 'GET /me/method',
    summary: 'The page to remove one of the caller\u2019s second factors.',
    access: browser({ stepUp: WITH_FACTOR }),
    query: MethodQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await import('./methods.page.tsx')).methodPage(ctx, principal, query.id),
  }),
  route({
    id: 'accountPages.removeMethod',
    on: 'POST /me/method/remove',
    summary: 'Remove a second factor; all other sessions end.',
    access: browser({ stepUp: WITH_FACTOR, form: '/me' }),
    form: FactorIdForm,
    reply: empty(303),
    errors: ['not_found', 'last_factor', 'weaker_factors_remain', 'insufficient_user_authentication'],
    emits: ['factor.removed'],
    handle: async ({ ctx, principal, form }) =>
      (await import('./methods.ts')).removeMethod(ctx, principal, form.factor_id, form.accept_weaker === 'yes'),
  }),
  route({
    id: 'accountPages.clearAlarm',
    on: 'POST /me/method/clear-alarm',
    summary: 'Accept a passkey again that was refused as a possible copy.',
    access: browser({ stepUp: WITH_FACTOR, form: '/me' }),
    form: AlarmForm,
    reply: empty(303),
    errors: ['not_found', 'insufficient_user_authentication'],
    emits: ['passkey.alarm_cleared'],
    handle: async ({ ctx, principal, form }) => (await import('./methods.ts')).acceptPasskeyAgain(ctx, principal, form.factor_id),
  }),
  route({
    id: 'accountPages.addPasskey',
    on: 'GET /me/passkey',
    summary: 'The page to add a passkey.',
    access: browser({ stepUp: RECENT }),
    query: PageQuery,
    reply: htmlOrRedirect(),
    errors: ['mailbox_proof_required', 'insufficient_user_authentication', 'authentication_required'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./add-factor.page.tsx')).passkeyPage(ctx, principal),
  }),
  route({
    id: 'accountPages.addPhone',
    on: 'GET /me/phone',
    summary: 'The page to add a phone for text messages.',
    access: browser({ stepUp: RECENT }),
    query: PageQuery,
    reply: htmlOrRedirect(),
    errors: ['mailbox_proof_required', 'insufficient_user_authentication', 'authentication_required'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./add-factor.page.tsx')).phonePage(ctx, principal),
  }),
  route({
    id: 'accountPages.sendPhoneCode',
    on: 'POST /me/phone',
    summary: 'Send a code to the phone.',
    access: browser({ stepUp: RECENT, limit: { class: 'code' } }),
    form: PhoneForm,
    reply: empty(303),
    errors: [...PHONE_ERRORS, 'too_many_sms', 'sms_failed', 'sms_number_refused', 'sms_not_configured'],
    emits: ['sms_code.sent', 'sms.quota_exceeded'],
    handle: async ({ ctx, principal, form }) => (await import('./add-factor.ts')).sendPhoneCode(ctx, principal, form.phone_number),
  }),
  route({
    id: 'accountPages.phoneCode',
    on: 'GET /me/phone/code',
    summary: 'The page for the code that was sent.',
    access: browser({ stepUp: RECENT }),
    query: PageQuery,
    reply: htmlOrRedirect(),
    errors: ['mailbox_proof_required', 'insufficient_user_authentication', 'authentication_required'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./add-factor.page.tsx')).phoneCodePage(ctx, principal),
  }),
  route({
    id: 'accountPages.confirmPhone',
    on: 'POST /me/phone/code',
    summary: 'Add the phone with the code.',
    access: browser({ stepUp: RECENT, limit: { class: 'code' } }),
    form: AppCodeForm,
    reply: empty(303),
    errors: [...PHONE_ERRORS, 'sms_not_initiated', 'invalid_sms_code', 'sms_code_expired', 'sms_attempts_used', 'factor_limit'],
    emits: ['factor.added'],
    handle: async ({ ctx, principal, form }) => (await import('./add-factor.ts')).confirmPhone(ctx, principal, form.code),
  }),
  route({
    id: 'accountPages.newBackupCodes',
    on: 'POST /me/backup-codes',
    summary: 'Replace the backup codes and return the page with the new ones, which appear only once.',
    access: browser({ stepUp: WITH_FACTOR, form: '/me', limit: { class: 'credential' } }),
    form: NoForm,
    reply: htmlOrRedirect(),
    errors: ['insufficient_user_authentication'],
    emits: ['backup_codes.replaced'],
    handle: async ({ ctx, principal }) =>
      (await import('#shared/domains/factors/app-setup.page.tsx')).backupCodesPage(ctx, {
        codes: await (await import('./methods.ts')).regenerateOwnCodes(ctx, principal),
        principal,
        next: HOME,
      }),
  }),
]
