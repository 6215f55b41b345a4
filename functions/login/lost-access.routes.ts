// Lost passkeys and second factors, on our own pages.
import { SignInContextQuery } from '#shared/domains/sign-in/sign-in-context.schema'
import { page } from '#shared/platform/http/access'
import { NoForm } from '#shared/platform/http/pages/fields.schema'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { route } from './group.ts'
import { EmailForm, KeyForm, OtpForm, PassForm } from './page.schema.ts'

const READ = page('A person who lost every factor cannot authenticate yet.', { class: 'general' })
const PASS = { form: '/recover/access' } as const
const WAIT = { form: '/recover/access/waiting' } as const
const RECOVERY_EVENTS = ['factors.reset', 'session.created', 'user.signed_in', 'user.signed_out'] as const

export const lostAccessRoutes = [
  route({
    id: 'login.lostAccess',
    on: 'GET /recover/access',
    summary: 'The ways back for a person who lost passkeys or second factors.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./lost-access.page.tsx')).lostAccessPage(ctx, query),
  }),
  route({
    id: 'login.usePass',
    on: 'POST /recover/access/pass',
    summary: 'Recover the account with a one-time pass from an administrator, after the password.',
    access: page('The pass is the proof, together with the password of a person who has one.', { class: 'credential', account: 'email' }, PASS),
    query: SignInContextQuery,
    form: PassForm,
    reply: empty(303),
    errors: ['invalid_recovery', 'not_found', 'quota_exceeded'],
    emits: ['recovery_pass.used', ...RECOVERY_EVENTS],
    handle: async ({ ctx, query, form, principal }) => (await import('./lost-access.ts')).useRecoveryPass(ctx, query, form, principal),
  }),
  route({
    id: 'login.beginWaiting',
    on: 'POST /recover/access/wait',
    summary: 'Begin the waiting period, where the organisation offers it. The answer is the same for every address.',
    access: page(
      'A person who lost every factor cannot authenticate yet. The answer is the same for every address.',
      { class: 'credential', account: 'email' },
      PASS,
    ),
    query: SignInContextQuery,
    form: EmailForm,
    reply: empty(303),
    errors: ['recovery_not_offered', 'invalid_client'],
    emits: ['recovery.started'],
    handle: async ({ ctx, query, form }) => (await import('./lost-access.ts')).beginWaitingRecovery(ctx, query, form.email),
  }),
  route({
    id: 'login.waiting',
    on: 'GET /recover/access/waiting',
    summary: 'The state of the waiting period.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./lost-access.page.tsx')).waitingRecoveryPage(ctx, query),
  }),
  route({
    id: 'login.holdRecovery',
    on: 'POST /recover/access/key',
    summary: 'Continue a recovery in another browser.',
    access: page('The key of the recovery is the proof.', { class: 'code' }, WAIT),
    query: SignInContextQuery,
    form: KeyForm,
    reply: empty(303),
    errors: ['invalid_recovery'],
    emits: 'nothing',
    handle: async ({ ctx, query, form }) => (await import('./lost-access.ts')).resumeRecovery(ctx, query, form.recovery),
  }),
  route({
    id: 'login.mailRecoveryCode',
    on: 'POST /recover/access/send',
    summary: 'After the waiting period: mail a code.',
    access: page('The key in the cookie of this browser is the proof.', { class: 'code' }, WAIT),
    query: SignInContextQuery,
    form: NoForm,
    reply: empty(303),
    errors: ['invalid_recovery', 'recovery_waiting'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./lost-access.ts')).mailRecoveryCode(ctx, query),
  }),
  route({
    id: 'login.finishRecovery',
    on: 'POST /recover/access/finish',
    summary: 'Recover the account after the waiting period, with the mailed code.',
    access: page('The key in the cookie of this browser and the mailed code are the proof.', { class: 'code' }, WAIT),
    query: SignInContextQuery,
    form: OtpForm,
    reply: empty(303),
    errors: ['invalid_recovery', 'recovery_waiting', 'quota_exceeded'],
    emits: ['recovery.completed', ...RECOVERY_EVENTS],
    handle: async ({ ctx, query, form, principal }) => (await import('./lost-access.ts')).finishRecoveryWithCode(ctx, query, form.otp, principal),
  }),
]
