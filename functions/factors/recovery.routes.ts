// The ways back for who lost their factors.

import { ticketCookie } from '#shared/domains/login-transaction/login-transaction'
import { open } from '#shared/platform/http/access'
import { htmlOrGo, json, Sent } from '#shared/platform/http/route'
import { type Ctx, route } from './group.ts'
import {
  AskToFinish,
  CameBack,
  CancelForm,
  CancelQuery,
  FinishAsked,
  FinishRecovery,
  RecoveryStarted,
  StartRecovery,
  UsePass,
} from './recovery.schema.ts'

const cameBack = (ctx: Ctx, ticket: string) =>
  new Sent(
    {
      login_ticket: ticket,
      tenant_id: ticket.slice(0, ticket.indexOf('.')),
      message: 'The lost factors are gone. Go on with the sign-in, and add a factor.',
    },
    { cookies: [ticketCookie(ctx, 'login', ticket)] },
  )

export const recoveryRoutes = [
  route({
    id: 'factors.useRecoveryPass',
    on: 'POST /account/recovery/pass',
    summary: 'Come back with a one-time pass from an administrator, after the password.',
    access: open('The pass is the proof, with the login ticket of who has a password.', { class: 'credential', account: 'email' }),
    body: UsePass,
    reply: json(200, CameBack),
    errors: ['invalid_recovery', 'not_found'],
    emits: ['recovery_pass.used', 'factors.reset'],
    handle: async ({ ctx, body }) =>
      cameBack(
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
    summary: 'Begin the waiting period, where the organisation offers it.',
    access: open('Who lost every factor can prove nothing yet; alike for every address.', { class: 'credential', account: 'email' }),
    body: StartRecovery,
    reply: json(202, RecoveryStarted),
    errors: ['invalid_client', 'recovery_not_offered'],
    emits: ['recovery.started'],
    handle: async ({ ctx, body }) => {
      const { recovery, readyAt } = await (await import('#shared/domains/recovery/waiting')).startWaiting(ctx, {
        clientId: body.client_id,
        email: body.email,
        loginTicket: body.login_ticket,
      })
      return {
        recovery,
        ready_at: readyAt.toISOString(),
        message: 'If the account is yours, we told its address. Keep this value and come back then.',
      }
    },
  }),
  route({
    id: 'factors.askToFinishRecovery',
    on: 'POST /account/recovery/finish',
    summary: 'After the waiting period: a code goes to the mailbox.',
    access: open('What was answered at the start is the proof.', { class: 'credential' }),
    body: AskToFinish,
    reply: json(202, FinishAsked),
    errors: ['invalid_recovery', 'recovery_waiting'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => {
      const { expiresIn } = await (await import('#shared/domains/recovery/waiting')).askToFinish(ctx, body.recovery)
      return { message: 'We sent a code to the address of the account.', expires_in: expiresIn }
    },
  }),
  route({
    id: 'factors.finishRecovery',
    on: 'POST /account/recovery/confirm',
    summary: 'Come back after the waiting period, with the mailed code.',
    access: open('What was answered at the start, and the mailed code, are the proof.', { class: 'code' }),
    body: FinishRecovery,
    reply: json(200, CameBack),
    errors: ['invalid_recovery', 'recovery_waiting'],
    emits: ['recovery.completed', 'factors.reset'],
    handle: async ({ ctx, body }) =>
      cameBack(ctx, await (await import('#shared/domains/recovery/waiting')).finishWaiting(ctx, body.recovery, body.code)),
  }),
  route({
    id: 'factors.cancelRecoveryPage',
    on: 'GET /account/recovery/cancel',
    summary: 'The page behind the mailed link that stops a recovery.',
    access: open('A page without anybody\u2019s data; opening it changes nothing.', { class: 'general' }),
    query: CancelQuery,
    reply: htmlOrGo(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./recovery.page.tsx')).cancelPage(ctx, query.ticket),
  }),
  route({
    id: 'factors.cancelRecovery',
    on: 'POST /account/recovery/cancel',
    summary: 'Stop a recovery with the mailed link.',
    access: open('The mailed link is the proof; it stops, and opens nothing.', { class: 'status' }),
    form: CancelForm,
    reply: htmlOrGo(),
    errors: [],
    emits: ['recovery.cancelled'],
    handle: async ({ ctx, form }) => {
      await (await import('#shared/domains/recovery/waiting')).cancelWaiting(ctx, form.ticket)
      return (await import('./recovery.page.tsx')).cancelPage(ctx, undefined)
    },
  }),
]
