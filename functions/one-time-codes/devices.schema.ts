// Wire shapes of authenticator apps as devices, below uflow/auth/totp and uflow/auth/tenant/totp.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'
import { SixDigits } from './totp.schema.ts'

const done = { success: z.literal(true), message: z.string() }

export const RegisterDevice = z
  .object({
    device_name: z.string().trim().min(1).max(100),
    device_type: z.enum(['generic', 'google_auth', 'microsoft_auth', 'authy']).default('generic').optional(),
  })
  .meta({ id: 'RegisterTotpDevice' })
export const DeviceRegistered = z
  .object({
    ...done,
    secret: z.string(),
    /** The key URI, which the client renders as a QR code. */
    qr_code_url: z.string(),
    device_id: z.string(),
    /** Always empty: the codes are created when the device is confirmed. */
    backup_codes: z.array(z.string()),
  })
  .meta({ id: 'TotpDeviceRegistered' })
export const ConfirmDevice = z.object({ device_id: z.uuid(), totp_code: SixDigits }).meta({ id: 'ConfirmTotpDevice' })
export const DeviceConfirmed = z
  .object({ ...done, device_id: z.string(), device_name: z.string(), backup_codes: z.array(z.string()) })
  .meta({ id: 'TotpDeviceConfirmed' })
export const VerifyDevice = z.object({ totp_code: SixDigits }).meta({ id: 'VerifyTotpDevice' })
export const DeviceVerified = z.object({ ...done, token: z.string(), require_otp: z.literal(false) }).meta({ id: 'TotpDeviceVerified' })
export const NamedDevice = z.object({ device_id: z.uuid() }).meta({ id: 'NamedTotpDevice' })
export const DeviceDone = z.object(done).meta({ id: 'TotpDeviceDone' })
export const Regenerate = z.object({ device_id: z.string().max(64).optional() }).meta({ id: 'RegenerateBackupCodes' })
export const Regenerated = z.object({ ...done, backup_codes: z.array(z.string()) }).meta({ id: 'BackupCodesRegenerated' })

const device = {
  id: z.string(),
  user_id: z.string(),
  tenant_id: z.string(),
  device_name: z.string(),
  device_type: z.string(),
  last_used: z.string().nullable(),
  is_active: z.literal(true),
  is_primary: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
}
export const TotpDevices = z.object({ success: z.literal(true), devices: z.array(z.object(device)) }).meta({ id: 'TotpDevices' })
export const TenantDevices = z
  .object({ success: z.literal(true), devices: z.array(z.object({ ...device, is_verified: z.literal(true) })) })
  .meta({ id: 'TenantTotpDevices' })

const ticket = { login_ticket: z.string().max(256).optional() }
/** Not validated as six digits: malformed input fails like a wrong code. */
const Code = z.string().min(1).max(64)
export const TotpLogin = z.object({ email: Email, totp_code: Code, client_id: z.string().max(200).optional(), ...ticket }).meta({ id: 'TotpLogin' })
export const TenantTotpLogin = z
  .object({ client_id: z.string().min(1).max(200), email: Email, totp_code: Code, tenant_domain: z.string().max(255).optional(), ...ticket })
  .meta({ id: 'TenantTotpLogin' })
export const TotpLoggedIn = z.object({ ...done, token: z.string() }).meta({ id: 'TotpLoggedIn' })
