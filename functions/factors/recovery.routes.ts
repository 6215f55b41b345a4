// Routes to recover the access of a person who lost their factors.
import { transactionCookie } from '#shared/domains/login-transaction/login-transaction'
import { open } from '#shared/platform/http/access'
import { HttpResult, htmlOrRedirect, json } from '#shared/platform/http/route'
import { type Ctx, route } from './group.ts'
import {
  AccessRestored,
  CancelForm,
  CancelQuery,
  FinishRecovery,
  RecoveryCodeRequest,
  RecoveryCodeSent,
  RecoveryStarted,
  StartRecovery,
  UseRecoveryPass,
} from './recovery.schema.ts'

const accessRestored = (ctx: Ctx, transactionToken: string) =>
  new HttpResult(
    {
      login_ticket: transactionToken,
      tenant_id: transactionToken.slice(0, transactionToken.indexOf('.')),
      message: 'The lost factors are removed. Continue the sign-in and add a factor.',
    },
    { cookies: [transactionCookie(ctx, 'login', transactionToken)] },
  )

export const recoveryRoutes = [
  route({
    id: 'factors.useRecoveryPass',
    on: 'POST /account/recovery/pass',
    summary: 'Recover access with a one-time pass from an administrator, after the password.',
    access: open('The pass is the proof, with the login ticket when the account has a password.', { class: 'credential', account: 'email' }),
    body: UseRecoveryPass,
    reply: json(200, AccessRestored),
    errors: ['invalid_recovery', 'not_found'],
    emits: ['recovery_pass.used', 'factors.reset'],
    handle: async ({ ctx, body }) =>
      accessRestored(
        ctx,
        await (await import('#shared/domains/recovery/pass')).recoverWithPass(ctx, {
          pass: body.pass,
          email: body.email,
          loginTicket: body.login_ticket,
        }),
      ),
  }),
  route({
    id: 'factors.startRecovery',
    on: 'POST /account/recovery/start',
    summary: 'Start the waiting period, if the tenant offers it.',
    access: open('A person without factors has no proof yet; the response is the same for every address.', { class: 'credential', account: 'email' }),
    body: StartRecovery,
    reply: json(202, RecoveryStarted),
    errors: ['invalid_client', 'recovery_not_offered'],
    emits: ['recovery.started'],
    handle: async ({ ctx, body }) => {
      const { recovery, readyAt } = await (await import('#shared/domains/recovery/waiting-recovery')).startWaitingRecovery(ctx, {
        clientId: body.client_id,
        email: body.email,
        loginTicket: body.login_ticket,
      })
      return {
        recovery,
        ready_at: readyAt.toISOString(),
        message: 'If the account exists, we notified its address. Keep the recovery value and return after the waiting period.',
      }
    },
  }),
  route({
    id: 'factors.askToFinishRecovery',
    on: 'POST /account/recovery/finish',
    summary: 'Request the mailed code after the waiting period.',
    access: open('The recovery handle from the start is the proof.', { class: 'credential' }),
    body: RecoveryCodeRequest,
    reply: json(202, RecoveryCodeSent),
    errors: ['invalid_recovery', 'recovery_waiting'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => {
      const { expiresIn } = await (await import('#shared/domains/recovery/waiting-recovery')).requestRecoveryCode(ctx, body.recovery)
      return { message: 'We sent a code to the address of the account.', expires_in: expiresIn }
    },
  }),
  route({
    id: 'factors.finishRecovery',
    on: 'POST /account/recovery/confirm',
    summary: 'Finish the recovery after the waiting period, with the mailed code.',
    access: open('The recovery handle from the start and the mailed code are the proof.', { class: 'code' }),
    body: FinishRecovery,
    reply: json(200, AccessRestored),
    errors: ['invalid_recovery', 'recovery_waiting'],
    emits: ['recovery.completed', 'factors.reset'],
    handle: async ({ ctx, body }) =>
      accessRestored(ctx, await (await import('#shared/domains/recovery/waiting-recovery')).finishWaitingRecovery(ctx, body.recovery, body.code)),
  }),
  route({
    id: 'factors.cancelRecoveryPage',
    on: 'GET /account/recovery/cancel',
    summary: 'The page of the mailed link that stops a recovery.',
    access: open('The page has no personal data, and opening it changes nothing.', { class: 'general' }),
    query: CancelQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./recovery.page.tsx')).cancelPage(ctx, query.ticket),
  }),
  route({
    id: 'factors.cancelRecovery',
    on: 'POST /account/recovery/cancel',
    summary: 'Stop a recovery with the mailed link.',
    access: open('The mailed link is the proof; it can only stop the recovery.', { class: 'status' }),
    form: CancelForm,
    reply: htmlOrRedirect(),
    errors: [],
    emits: ['recovery.cancelled'],
    handle: async ({ ctx, form }) => {
      await (await import('#shared/domains/recovery/waiting-recovery')).cancelWaitingRecovery(ctx, form.ticket)
      return (await import('./recovery.page.tsx')).cancelPage(ctx, undefined)
    },
  }),
]
