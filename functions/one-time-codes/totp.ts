// Sets up and verifies an authenticator app, in a session or in a login transaction.
import type * as z from 'zod'
import { loadEnrolmentContext } from '#shared/domains/factors/enrolment'
import { loadFactorContext } from '#shared/domains/factors/factor-context'
import { beginTotp, confirmTotp, verifyTotp } from '#shared/domains/factors/totp'
import { qrCode } from '#shared/domains/factors/totp-code'
import { FACTOR_VERIFIED_EVENT, renewedToken } from '#shared/domains/factors/verify'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { BeginTotp, ConfirmTotp, TotpBegun, TotpConfirmed, TotpVerified, VerifyTotp } from './totp.schema.ts'

/** In groups of four, for typing. */
const spaced = (seed: string): string => (seed.match(/.{1,4}/g) ?? []).join(' ')

/** @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required */
export const beginTotpFactor = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof BeginTotp>): Promise<z.input<typeof TotpBegun>> => {
  const factorContext = await loadEnrolmentContext(ctx, caller, body)
  const { seed, issuer, account, uri } = await beginTotp(ctx, factorContext, { bytes: 32, name: '', deviceType: 'generic' })
  return { secret: seed, qr_code: await qrCode(uri), manual_entry: spaced(seed), issuer, account, otp_auth_url: uri }
}

/** @throws AppError setup_not_initiated, invalid_totp_code, factor_limit, and as `begin` */
export const confirmTotpFactor = async (
  ctx: Ctx,
  caller: User | undefined,
  body: z.output<typeof ConfirmTotp>,
): Promise<z.input<typeof TotpConfirmed>> => {
  const factorContext = await loadEnrolmentContext(ctx, caller, body)
  const seed = body.secret.toUpperCase().replace(/[\s=]/g, '')
  const { backupCodes } = await confirmTotp(ctx, factorContext, { code: body.code, seed })
  return { success: true, message: 'The authenticator app is now a factor of your account. Keep the backup codes.', backup_codes: [...backupCodes] }
}

/** @throws AppError authentication_required, invalid_totp_code, totp_not_enabled, factor_paused */
export const verifyTotpCode = async (
  ctx: Ctx,
  caller: User | undefined,
  body: z.output<typeof VerifyTotp>,
): Promise<z.input<typeof TotpVerified>> => {
  const code = body.code ?? body.backup_code
  if (code === undefined) throw new AppError('invalid_request', 'body.code: must be six digits or a backup code', { field: 'body.code' })
  const factorContext = await loadFactorContext(ctx, caller, body, FACTOR_VERIFIED_EVENT)
  const { method, renewal } = await verifyTotp(ctx, factorContext, code)
  const token = renewal === undefined ? undefined : await renewedToken(ctx, renewal)
  return {
    success: true,
    message: method === 'totp' ? 'TOTP code valid' : 'Backup code valid',
    method,
    tenant_id: factorContext.tenantId,
    email: factorContext.user.email,
    ...(token === undefined ? {} : { access_token: token.access_token, token_type: token.token_type, expires_in: token.expires_in }),
  }
}
