// Approving a device without a session, with the factors of a sign-in.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { ApproveDevice, DeviceApproved } from './device-approve.schema.ts'
import { route } from './group.ts'

export const deviceApproveRoutes = [
  route({
    id: 'codes.approveDevice',
    on: 'POST /authsec/uflow/auth/totp/device-approve',
    summary: 'Approve the device that displays a user code, with a TOTP code after the first factor.',
    access: open('The login ticket, or the client\u2019s own authentication, is the proof.', { class: 'code', account: 'email' }),
    body: ApproveDevice,
    reply: json(200, DeviceApproved),
    errors: [
      'user_code_unknown',
      'invalid_user_code',
      'invalid_totp_code',
      'authentication_required',
      'totp_not_enabled',
      'factor_paused',
      'mfa_verification_failed',
      'quota_exceeded',
    ],
    emits: ['factor.verified', 'factor.paused', 'backup_code.used', 'session.created', 'user.signed_in', 'user.signed_out', 'device_grant.approved'],
    handle: async ({ ctx, body }) => (await import('./device-approve.ts')).approveDevice(ctx, body),
  }),
]
