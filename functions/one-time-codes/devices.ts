// Authenticator apps as devices of a signed-in person.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { type Factor, findFactors } from '#db/store/factors'
import { findTotpSecrets } from '#db/store/totp'
import { regenerateBackupCodes } from '#shared/domains/factors/backup-codes'
import { loadEnrolmentContext } from '#shared/domains/factors/enrolment'
import { loadFactorContext } from '#shared/domains/factors/factor-context'
import { makePrimary, removeFactor } from '#shared/domains/factors/manage'
import { beginTotp, confirmTotp, verifyTotp } from '#shared/domains/factors/totp'
import { FACTOR_VERIFIED_EVENT, renewedToken } from '#shared/domains/factors/verify'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type {
  ConfirmDevice,
  DeviceConfirmed,
  DeviceDone,
  DeviceRegistered,
  DeviceVerified,
  Regenerated,
  RegisterDevice,
  TenantDevices,
} from './devices.schema.ts'
import type { Ctx } from './group.ts'

export const registerDevice = async (ctx: Ctx, caller: User, body: z.output<typeof RegisterDevice>): Promise<z.input<typeof DeviceRegistered>> => {
  const factorContext = await loadEnrolmentContext(ctx, caller, {})
  const { id, seed, uri } = await beginTotp(ctx, factorContext, { bytes: 20, name: body.device_name, deviceType: body.device_type ?? 'generic' })
  return { success: true, message: 'Enter a code from the app to confirm it.', secret: seed, qr_code_url: uri, device_id: id, backup_codes: [] }
}

export const confirmDevice = async (ctx: Ctx, caller: User, body: z.output<typeof ConfirmDevice>): Promise<z.input<typeof DeviceConfirmed>> => {
  const factorContext = await loadEnrolmentContext(ctx, caller, {})
  const { id, name, backupCodes } = await confirmTotp(ctx, factorContext, { code: body.totp_code, id: body.device_id })
  return {
    success: true,
    message: 'The device is confirmed. Keep the backup codes.',
    device_id: id,
    device_name: name,
    backup_codes: [...backupCodes],
  }
}

/** Verifies a code in a session and renews the session under a new token. */
export const verifyDevice = async (ctx: Ctx, caller: User, code: string): Promise<z.input<typeof DeviceVerified>> => {
  const { renewal } = await verifyTotp(ctx, await loadFactorContext(ctx, caller, {}, FACTOR_VERIFIED_EVENT), code)
  if (renewal === undefined) throw new Error('a session was verified and not renewed')
  const { access_token: token } = await renewedToken(ctx, renewal)
  return { success: true, message: 'TOTP code valid', token, require_otp: false }
}

const appsOf = async (ctx: Ctx, caller: User): Promise<readonly Factor[]> =>
  (await findFactors(forTenant(ctx.db, caller.tenantId), caller.userId)).filter(({ kind }) => kind === 'totp')

export const listDevices = async (ctx: Ctx, caller: User): Promise<z.input<typeof TenantDevices>> => {
  const apps = await appsOf(ctx, caller)
  const secrets = await findTotpSecrets(
    forTenant(ctx.db, caller.tenantId),
    apps.map(({ id }) => id),
  )
  const devices = apps.map((app) => {
    const secret = secrets.find(({ factorId }) => factorId === app.id)
    return {
      id: app.id,
      user_id: caller.userId,
      tenant_id: caller.tenantId,
      device_name: app.name,
      device_type: secret?.deviceType ?? 'generic',
      last_used: app.lastUsedAt?.toISOString() ?? null,
      is_active: true as const,
      is_primary: app.isPrimary,
      is_verified: true as const,
      created_at: app.createdAt.toISOString(),
      updated_at: (secret?.updatedAt ?? app.createdAt).toISOString(),
    }
  })
  return { success: true, devices }
}

/** These paths name authenticator apps only, so a passkey's id is unknown. @throws AppError device_not_found */
const ownApp = async (ctx: Ctx, caller: User, id: string): Promise<readonly Factor[]> => {
  const apps = await appsOf(ctx, caller)
  if (!apps.some((app) => app.id === id.toLowerCase())) throw new AppError('device_not_found')
  return apps
}

/** @throws AppError device_not_found, last_device, last_factor, insufficient_user_authentication */
export const deleteDevice = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof DeviceDone>> => {
  if ((await ownApp(ctx, caller, id)).length === 1) throw new AppError('last_device')
  await removeFactor(ctx, caller, { id: id.toLowerCase(), acceptWeaker: false })
  return { success: true, message: 'The device is removed.' }
}

/** @throws AppError device_not_found */
export const primaryDevice = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof DeviceDone>> => {
  await ownApp(ctx, caller, id)
  await makePrimary(ctx, caller, id.toLowerCase())
  return { success: true, message: 'The device is the primary one.' }
}

export const regenerate = async (ctx: Ctx, caller: User): Promise<z.input<typeof Regenerated>> => ({
  success: true,
  message: 'Keep the new backup codes; the old ones no longer work.',
  backup_codes: [...(await regenerateBackupCodes(ctx, caller))],
})
