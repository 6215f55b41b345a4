// Authenticator apps as devices, on the platform's paths and on the tenants'. They differ only in wire shapes.

import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { hasAdminAccess } from '#shared/domains/sign-in/admin-access'
import type { ErrorCode } from '#shared/kernel/errors'
import { open, user } from '#shared/platform/http/access'
import { outcomeError } from '#shared/platform/http/problem'
import { HttpResult, json } from '#shared/platform/http/route'
import {
  ConfirmDevice,
  DeviceConfirmed,
  DeviceDone,
  DeviceRegistered,
  DeviceVerified,
  NamedDevice,
  Regenerate,
  Regenerated,
  RegisterDevice,
  TenantDevices,
  TenantTotpLogin,
  TotpDevices,
  TotpLoggedIn,
  TotpLogin,
  VerifyDevice,
} from './devices.schema.ts'
import { route } from './group.ts'
import { type CodeLoginResult, isClientOf, loginWithCode, toLoginError } from './login.ts'

/** How the two sets of paths differ, apart from sign-in. */
type DevicePaths = {
  /** Prefix of the operation ids. */
  readonly id: 'codes.devices' | 'codes.tenantDevices'
  readonly at: `/${string}`
  /** Path segment of a single device. */
  readonly named: 'device' | 'devices'
  readonly list: typeof TotpDevices | typeof TenantDevices
  readonly shape: { readonly render?: typeof outcomeError }
}
const PLATFORM: DevicePaths = { id: 'codes.devices', at: '/authsec/uflow/auth/totp', named: 'device', list: TotpDevices, shape: {} }
const TENANT: DevicePaths = {
  id: 'codes.tenantDevices',
  at: '/authsec/uflow/auth/tenant/totp',
  named: 'devices',
  list: TenantDevices,
  shape: { render: outcomeError },
}
const ENROLLER: readonly ErrorCode[] = ['authentication_required', 'insufficient_user_authentication', 'mailbox_proof_required']
const LOGIN_ERRORS: readonly ErrorCode[] = [
  'invalid_credentials',
  'authentication_required',
  'invalid_totp_code',
  'totp_not_enabled',
  'factor_paused',
  'mfa_verification_failed',
  'quota_exceeded',
]
const LOGIN_EVENTS = ['factor.verified', 'factor.paused', 'backup_code.used', 'session.created', 'user.signed_in'] as const
/** Changing factors needs a recent sign-in with one of them. */
const recentSignIn = user({ withinSeconds: STEP_UP_SECONDS, acr: 'aal2' })

const loggedIn = ({ token, cookies }: CodeLoginResult) =>
  new HttpResult({ success: true as const, message: 'Authentication successful', token }, { cookies })

const ownDevices = ({ id, at, named, list, shape }: DevicePaths) => [
  route({
    ...shape,
    id: `${id}.register`,
    on: `POST ${at}/register`,
    summary: 'Begin to add an authenticator app.',
    access: user(undefined, { class: 'credential' }),
    body: RegisterDevice,
    reply: json(200, DeviceRegistered),
    errors: ENROLLER,
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await import('./devices.ts')).registerDevice(ctx, principal, body),
  }),
  route({
    ...shape,
    id: `${id}.confirm`,
    on: `POST ${at}/confirm`,
    summary: 'Confirm the app with its first code.',
    access: user(undefined, { class: 'code' }),
    body: ConfirmDevice,
    reply: json(200, DeviceConfirmed),
    errors: [...ENROLLER, 'setup_not_initiated', 'invalid_totp_code', 'factor_limit'],
    emits: ['factor.added'],
    handle: async ({ ctx, principal, body }) => (await import('./devices.ts')).confirmDevice(ctx, principal, body),
  }),
  route({
    ...shape,
    id: `${id}.list`,
    on: `GET ${at}/devices`,
    summary: 'The caller\u2019s authenticator apps.',
    access: user(),
    reply: json(200, list),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./devices.ts')).listDevices(ctx, principal),
  }),
  route({
    ...shape,
    id: `${id}.delete`,
    on: `POST ${at}/${named}/delete`,
    summary: 'Remove one of the caller\u2019s authenticator apps, except the last one.',
    access: recentSignIn,
    body: NamedDevice,
    reply: json(200, DeviceDone),
    errors: ['device_not_found', 'last_device', 'last_factor', 'weaker_factors_remain', 'not_found'],
    emits: ['factor.removed'],
    handle: async ({ ctx, principal, body }) => (await import('./devices.ts')).deleteDevice(ctx, principal, body.device_id),
  }),
  route({
    ...shape,
    id: `${id}.primary`,
    on: `POST ${at}/${named}/primary`,
    summary: 'Make an authenticator app the primary factor.',
    access: user(),
    body: NamedDevice,
    reply: json(200, DeviceDone),
    errors: ['device_not_found', 'not_found'],
    emits: ['factor.made_primary'],
    handle: async ({ ctx, principal, body }) => (await import('./devices.ts')).primaryDevice(ctx, principal, body.device_id),
  }),
]

export const totpDeviceRoutes = [
  route({
    id: 'codes.devices.login',
    on: `POST ${PLATFORM.at}/login`,
    summary: 'Exchange a TOTP code for an administrator\u2019s token, after the first factor.',
    access: open('The login ticket, or the client\u2019s own authentication, is the proof.', { class: 'code', account: 'email' }),
    body: TotpLogin,
    reply: json(200, TotpLoggedIn),
    errors: LOGIN_ERRORS,
    emits: LOGIN_EVENTS,
    handle: async ({ ctx, body }) =>
      loggedIn(
        await loginWithCode(ctx, {
          email: body.email,
          code: body.totp_code,
          clientId: body.client_id,
          transactionToken: body.login_ticket,
          admits: (t, who) => hasAdminAccess(t, ctx, who.id),
          admitsUnproved: async () => true,
        }),
      ),
  }),
  ...ownDevices(PLATFORM),
  route({
    id: 'codes.devices.verify',
    on: `POST ${PLATFORM.at}/verify`,
    summary: 'Verify a code in a session and renew it under a new token.',
    access: user(undefined, { class: 'code' }),
    body: VerifyDevice,
    reply: json(200, DeviceVerified),
    errors: ['authentication_required', 'factor_paused', 'invalid_totp_code', 'totp_not_enabled'],
    emits: ['factor.verified', 'factor.paused', 'session.stepped_up', 'backup_code.used'],
    handle: async ({ ctx, principal, body }) => (await import('./devices.ts')).verifyDevice(ctx, principal, body.totp_code),
  }),
  route({
    id: 'codes.devices.regenerate',
    on: `POST ${PLATFORM.at}/backup/regenerate`,
    summary: 'Create new backup codes; the old ones become invalid.',
    access: user({ withinSeconds: STEP_UP_SECONDS, acr: 'aal2' }, { class: 'credential' }),
    body: Regenerate,
    reply: json(200, Regenerated),
    errors: [],
    emits: ['backup_codes.replaced'],
    handle: async ({ ctx, principal }) => (await import('./devices.ts')).regenerate(ctx, principal),
  }),
]

export const tenantTotpDeviceRoutes = [
  route({
    ...TENANT.shape,
    id: 'codes.tenantDevices.login',
    on: `POST ${TENANT.at}/login`,
    summary: 'Exchange a TOTP code for an end user\u2019s token, after the first factor.',
    access: open('The login ticket, or the client\u2019s own authentication, is the proof.', { class: 'code', account: 'email' }),
    body: TenantTotpLogin,
    reply: json(200, TotpLoggedIn),
    errors: LOGIN_ERRORS,
    emits: LOGIN_EVENTS,
    handle: async ({ ctx, body }) =>
      loggedIn(
        await loginWithCode(ctx, {
          email: body.email,
          code: body.totp_code,
          clientId: body.client_id,
          transactionToken: body.login_ticket,
          admits: (t) => isClientOf(t, body.client_id),
          admitsUnproved: (t) => isClientOf(t, body.client_id),
        }).catch(toLoginError),
      ),
  }),
  ...ownDevices(TENANT),
]
