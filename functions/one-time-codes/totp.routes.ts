// An authenticator app as a second factor, below webauthn/totp.
import type { ErrorCode } from '#shared/kernel/errors'
import { userOrNobody } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { BeginTotp, ConfirmTotp, TotpBegun, TotpConfirmed, TotpVerified, VerifyTotp } from './totp.schema.ts'

export const PROOF = 'During sign-in, before there is a session, the login ticket is the proof.'
export const ENROLLER_ERRORS: readonly ErrorCode[] = ['authentication_required', 'insufficient_user_authentication', 'mailbox_proof_required']
export const VERIFY_ERRORS: readonly ErrorCode[] = ['authentication_required', 'factor_paused']

const beginning = (id: string, path: `/${string}`, when: string) =>
  route({
    id,
    on: `POST ${path}`,
    summary: `Begin to set up an authenticator app ${when}.`,
    access: userOrNobody(PROOF, { class: 'credential', account: 'email' }),
    body: BeginTotp,
    reply: json(200, TotpBegun),
    errors: ENROLLER_ERRORS,
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await import('./totp.ts')).beginTotpFactor(ctx, principal, body),
  })

const confirming = (id: string, path: `/${string}`, when: string) =>
  route({
    id,
    on: `POST ${path}`,
    summary: `Confirm the authenticator app with its first code ${when}.`,
    access: userOrNobody(PROOF, { class: 'code', account: 'email' }),
    body: ConfirmTotp,
    reply: json(200, TotpConfirmed),
    errors: [...ENROLLER_ERRORS, 'setup_not_initiated', 'invalid_totp_code', 'factor_limit'],
    emits: ['factor.added'],
    handle: async ({ ctx, principal, body }) => (await import('./totp.ts')).confirmTotpFactor(ctx, principal, body),
  })

const verifying = (id: string, path: `/${string}`, when: string) =>
  route({
    id,
    on: `POST ${path}`,
    summary: `Verify a TOTP code or a backup code ${when}.`,
    access: userOrNobody(PROOF, { class: 'code', account: 'email' }),
    body: VerifyTotp,
    reply: json(200, TotpVerified),
    errors: [...VERIFY_ERRORS, 'invalid_totp_code', 'totp_not_enabled'],
    emits: ['factor.verified', 'factor.paused', 'backup_code.used', 'session.stepped_up'],
    handle: async ({ ctx, principal, body }) => (await import('./totp.ts')).verifyTotpCode(ctx, principal, body),
  })

export const totpRoutes = [
  beginning('codes.totp.beginSetup', '/authsec/webauthn/totp/beginSetup', 'inside a session'),
  beginning('codes.totp.beginLoginSetup', '/authsec/webauthn/totp/beginLoginSetup', 'while signing in'),
  confirming('codes.totp.confirmSetup', '/authsec/webauthn/totp/confirmSetup', 'inside a session'),
  confirming('codes.totp.confirmLoginSetup', '/authsec/webauthn/totp/confirmLoginSetup', 'while signing in'),
  verifying('codes.totp.verifyLogin', '/authsec/webauthn/totp/verifyLogin', 'while signing in'),
  verifying('codes.totp.verify', '/authsec/webauthn/totp/verify', 'in a session or while signing in'),
]
