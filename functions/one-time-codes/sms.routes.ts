// A phone as a second factor, below webauthn/sms.

import type { ErrorCode } from '#shared/kernel/errors'
import { userOrNobody } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { BeginSms, ConfirmSms, RequestSms, SmsConfirmed, SmsSent, SmsVerified, VerifySms } from './sms.schema.ts'
import { ENROLLER_ERRORS, PROOF, VERIFY_ERRORS } from './totp.routes.ts'

const SEND_ERRORS: readonly ErrorCode[] = ['too_many_sms', 'sms_failed', 'sms_number_refused', 'sms_not_configured']
const CODE_ERRORS: readonly ErrorCode[] = ['invalid_sms_code', 'sms_code_expired', 'sms_attempts_used']

export const smsRoutes = [
  route({
    id: 'codes.sms.beginSetup',
    on: 'POST /authsec/webauthn/sms/beginSetup',
    summary: 'Begin to set up a phone by sending it a code.',
    access: userOrNobody(PROOF, { class: 'credential', account: 'email' }),
    body: BeginSms,
    reply: json(200, SmsSent),
    errors: [...ENROLLER_ERRORS, ...SEND_ERRORS],
    emits: ['sms_code.sent', 'sms.quota_exceeded'],
    handle: async ({ ctx, principal, body }) => (await import('./sms.ts')).beginSmsFactor(ctx, principal, body),
  }),
  route({
    id: 'codes.sms.confirmSetup',
    on: 'POST /authsec/webauthn/sms/confirmSetup',
    summary: 'Confirm the phone with the code that was sent to it.',
    access: userOrNobody(PROOF, { class: 'code', account: 'email' }),
    body: ConfirmSms,
    reply: json(200, SmsConfirmed),
    errors: [...ENROLLER_ERRORS, ...CODE_ERRORS, 'sms_not_initiated', 'factor_limit'],
    emits: ['factor.added'],
    handle: async ({ ctx, principal, body }) => (await import('./sms.ts')).confirmSmsFactor(ctx, principal, body),
  }),
  route({
    id: 'codes.sms.requestCode',
    on: 'POST /authsec/webauthn/sms/requestCode',
    summary: 'Send a code to the confirmed phone.',
    access: userOrNobody(PROOF, { class: 'credential', account: 'email' }),
    body: RequestSms,
    reply: json(200, SmsSent),
    errors: [...VERIFY_ERRORS, ...SEND_ERRORS, 'sms_not_enabled'],
    emits: ['sms_code.sent', 'sms.quota_exceeded'],
    handle: async ({ ctx, principal, body }) => (await import('./sms.ts')).requestSmsCode(ctx, principal, body),
  }),
  route({
    id: 'codes.sms.verify',
    on: 'POST /authsec/webauthn/sms/verify',
    summary: 'Verify the code that was sent to the phone.',
    access: userOrNobody(PROOF, { class: 'code', account: 'email' }),
    body: VerifySms,
    reply: json(200, SmsVerified),
    errors: [...VERIFY_ERRORS, ...CODE_ERRORS, 'sms_not_enabled'],
    emits: ['factor.verified', 'factor.paused', 'session.stepped_up'],
    handle: async ({ ctx, principal, body }) => (await import('./sms.ts')).verifySmsCode(ctx, principal, body),
  }),
]
