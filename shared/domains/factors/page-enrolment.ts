// An authenticator app is added on our own pages: inside a recent session, or inside the sign-in of somebody who has no factor yet.

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

/** What this session or sign-in began, so that reloading does not change what was scanned; else a new one. */
export const resumeTotpSetup = async (ctx: RequestCtx, factorContext: FactorContext): Promise<TotpSetup> =>
  (await pendingTotp(withPageOrigin(ctx), factorContext)) ?? begin(ctx, factorContext)

/** Begins anew: what was scanned before counts no more. @throws as `loadPageEnrolmentContext` */
export const restartTotpSetup = async (ctx: RequestCtx, caller: User | undefined): Promise<void> =>
  void (await begin(ctx, await loadPageEnrolmentContext(ctx, caller)))

/** Answers the backup codes, which are shown once. @throws AppError setup_not_initiated, invalid_totp_code, factor_limit, and as `loadPageEnrolmentContext` */
export const confirmAppSetup = async (ctx: RequestCtx, caller: User | undefined, code: string): Promise<readonly string[]> =>
  (await confirmTotp(withPageOrigin(ctx), await loadPageEnrolmentContext(ctx, caller), { code })).backupCodes
