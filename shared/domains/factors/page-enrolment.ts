// Adding an authenticator app on our own pages, in a recent session or during the sign-in of a person without a factor.

import type { RequestCtx } from '#shared/domains/context'
import type { ErrorCode } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import type { User } from '#shared/platform/principals/principal'
import { loadEnrolmentContext } from './enrolment.ts'
import type { FactorContext } from './factor-context.ts'
import { beginTotp, confirmTotp, pendingTotp, type TotpSetup } from './totp.ts'

export const ENROL_ERRORS: readonly ErrorCode[] = [
  'authentication_required',
  'insufficient_user_authentication',
  'mailbox_proof_required',
  'setup_not_initiated',
  'invalid_totp_code',
  'factor_limit',
]

/** @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required */
export const loadPageEnrolmentContext = (ctx: RequestCtx, caller: User | undefined): Promise<FactorContext> =>
  loadEnrolmentContext(withPageOrigin(ctx), caller, {})

const begin = (ctx: RequestCtx, factorContext: FactorContext): Promise<TotpSetup> =>
  beginTotp(withPageOrigin(ctx), factorContext, { bytes: 20, name: 'Authenticator', deviceType: '' })

/** Returns the pending setup of this session or sign-in, so that a reload keeps the scanned key; else starts one. */
export const resumeTotpSetup = async (ctx: RequestCtx, factorContext: FactorContext): Promise<TotpSetup> =>
  (await pendingTotp(withPageOrigin(ctx), factorContext)) ?? begin(ctx, factorContext)

/** Starts a new setup; an earlier key becomes invalid. @throws as `loadPageEnrolmentContext` */
export const restartTotpSetup = async (ctx: RequestCtx, caller: User | undefined): Promise<void> =>
  void (await begin(ctx, await loadPageEnrolmentContext(ctx, caller)))

/** Returns the backup codes, to be shown once. @throws AppError setup_not_initiated, invalid_totp_code, factor_limit, and as `loadPageEnrolmentContext` */
export const confirmAppSetup = async (ctx: RequestCtx, caller: User | undefined, code: string): Promise<readonly string[]> =>
  (await confirmTotp(withPageOrigin(ctx), await loadPageEnrolmentContext(ctx, caller), { code })).backupCodes
