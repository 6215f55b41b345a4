// Passkeys on our own pages: the API's ceremonies, authenticated by the browser's session and the form's CSRF token. Answers are JSON for the
// page's script.

import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { browser } from '#shared/platform/http/access'
import { NoForm } from '#shared/platform/http/pages/fields.schema'
import { json } from '#shared/platform/http/route'
import { CreationOptions, RequestOptions } from './credential.schema.ts'
import { route } from './group.ts'
import { PageCeremonyDone, PageCeremonyForm } from './page.schema.ts'

const RECENT = { withinSeconds: STEP_UP_SECONDS } as const
const ANSWER_BYTES = 128 * 1024
const ENROLS = ['authentication_required', 'insufficient_user_authentication', 'mailbox_proof_required'] as const

export const passkeyPageRoutes = [
  route({
    id: 'webauthn.page.beginRegistration',
    on: 'POST /me/passkey/begin',
    summary: 'Options for creating a passkey on the account page.',
    access: browser({ stepUp: RECENT, limit: { class: 'status' }, form: '/me/passkey' }),
    form: NoForm,
    reply: json(200, CreationOptions),
    errors: [...ENROLS, 'invalid_origin'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./page.ts')).beginOwnRegistration(ctx, principal),
  }),
  route({
    id: 'webauthn.page.finishRegistration',
    on: 'POST /me/passkey/finish',
    summary: 'Register the passkey created on the account page.',
    access: browser({ stepUp: RECENT, limit: { class: 'code' }, form: '/me/passkey' }),
    form: PageCeremonyForm,
    maxBodyBytes: ANSWER_BYTES,
    reply: json(200, PageCeremonyDone),
    errors: [...ENROLS, 'no_registration_session', 'registration_failed', 'factor_limit', 'invalid_request'],
    emits: ['factor.added'],
    handle: async ({ ctx, principal, form }) => (await import('./page.ts')).finishOwnRegistration(ctx, principal, form),
  }),
  route({
    id: 'webauthn.page.beginConfirming',
    on: 'POST /confirm/passkey/begin',
    summary: 'Options for using a passkey, where an action needs a recent sign-in.',
    access: browser({ limit: { class: 'status' }, form: '/confirm' }),
    form: NoForm,
    reply: json(200, RequestOptions),
    errors: ['authentication_required', 'invalid_origin', 'no_credentials'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./page.ts')).beginReauthentication(ctx, principal),
  }),
  route({
    id: 'webauthn.page.finishConfirming',
    on: 'POST /confirm/passkey/finish',
    summary: 'Renew the browser\u2019s sign-in with a passkey.',
    access: browser({ limit: { class: 'code' }, form: '/confirm' }),
    form: PageCeremonyForm,
    maxBodyBytes: ANSWER_BYTES,
    reply: json(200, PageCeremonyDone),
    errors: ['authentication_required', 'no_authentication_session', 'passkey_refused', 'invalid_request'],
    emits: ['factor.verified', 'session.stepped_up', 'passkey.counter_regressed'],
    handle: async ({ ctx, principal, form }) => (await import('./page.ts')).finishReauthentication(ctx, principal, form),
  }),
]
