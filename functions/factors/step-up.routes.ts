// Routes for step-up (RFC 9470), and for proving the mailbox before a first factor.
import { loadFactorContext } from '#shared/domains/factors/factor-context'
import { confirmMailbox, sendMailboxCode } from '#shared/domains/factors/mailbox'
import { user, userOrNobody } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import {
  ConfirmMailboxProof,
  MailboxProofRequest,
  MailboxProofSent,
  RenewedSession,
  StepUpCode,
  StepUpMethods,
  StepUpPassword,
} from './step-up.schema.ts'
import { showStepUpMethods, stepUpByCode, stepUpByPassword } from './step-up.ts'

const TICKET_PROOF = 'The login ticket is the proof while there is no session yet.'

export const stepUpRoutes = [
  route({
    id: 'factors.stepUpWays',
    on: 'GET /account/step-up',
    summary: 'Return the acr of the session, and the methods that the caller can prove now.',
    access: user(),
    reply: json(200, StepUpMethods),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showStepUpMethods(ctx, principal),
  }),
  route({
    id: 'factors.stepUpByPassword',
    on: 'POST /account/step-up/password',
    summary: 'Renew the sign-in with the password, for a person without a factor.',
    access: user(undefined, { class: 'credential' }),
    body: StepUpPassword,
    reply: json(200, RenewedSession),
    errors: [
      'invalid_credentials',
      'password_reset_required',
      'temporary_password_expired',
      'insufficient_user_authentication',
      'authentication_required',
    ],
    emits: ['factor.verified', 'session.stepped_up', 'user.locked'],
    handle: ({ ctx, principal, body }) => stepUpByPassword(ctx, principal, body.password),
  }),
  route({
    id: 'factors.stepUpByCode',
    on: 'POST /account/step-up/totp',
    summary: 'Renew the sign-in with a code of an authenticator app, or a backup code.',
    access: user(undefined, { class: 'code' }),
    body: StepUpCode,
    reply: json(200, RenewedSession),
    errors: ['invalid_totp_code', 'totp_not_enabled', 'factor_paused', 'authentication_required'],
    emits: ['factor.verified', 'factor.paused', 'backup_code.used', 'session.stepped_up'],
    handle: ({ ctx, principal, body }) => stepUpByCode(ctx, principal, body.code),
  }),
  route({
    id: 'factors.askMailboxProof',
    on: 'POST /account/mailbox-proof',
    summary: 'Mail a code that proves the mailbox, before a first factor is enrolled.',
    access: userOrNobody(TICKET_PROOF, { class: 'credential', account: 'email' }),
    body: MailboxProofRequest,
    reply: json(202, MailboxProofSent),
    errors: ['authentication_required', 'too_many_codes', 'quota_exceeded'],
    emits: ['mailbox.proof_requested'],
    handle: async ({ ctx, principal, body }) => {
      const { expiresIn } = await sendMailboxCode(ctx, await loadFactorContext(ctx, principal, body, 'mailbox.proved'))
      return { message: 'We sent a code to the address of the account.', expires_in: expiresIn }
    },
  }),
  route({
    id: 'factors.confirmMailboxProof',
    on: 'POST /account/mailbox-proof/confirm',
    summary: 'Prove the mailbox with the mailed code.',
    access: userOrNobody(TICKET_PROOF, { class: 'code', account: 'email' }),
    body: ConfirmMailboxProof,
    reply: empty(204),
    errors: ['authentication_required', 'invalid_code'],
    emits: ['mailbox.proved'],
    handle: async ({ ctx, principal, body }) => {
      await confirmMailbox(ctx, await loadFactorContext(ctx, principal, body, 'mailbox.proved'), body.code)
      return undefined
    },
  }),
]
