// An authenticator app is added on our own pages: inside a recent session, or inside the sign-in of somebody who has no factor yet.

import type { RequestCtx } from '#shared/domains/context'
import type { ErrorCode } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import type { User } from '#shared/platform/principals/principal'
import { enroller } from './enrolment.ts'
import type { Stage } from './stage.ts'
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
export const stageToEnrol = (ctx: RequestCtx, caller: User | undefined): Promise<Stage> => enroller(onPage(ctx), caller, {})

const begin = (ctx: RequestCtx, stage: Stage): Promise<TotpSetup> =>
  beginTotp(onPage(ctx), stage, { bytes: 20, name: 'Authenticator', deviceType: '' })

/** What this session or sign-in began, so that reloading does not change what was scanned; else a new one. */
export const openSetup = async (ctx: RequestCtx, stage: Stage): Promise<TotpSetup> => (await pendingTotp(onPage(ctx), stage)) ?? begin(ctx, stage)

/** Begins anew: what was scanned before counts no more. @throws as `stageToEnrol` */
export const anotherSetup = async (ctx: RequestCtx, caller: User | undefined): Promise<void> =>
  void (await begin(ctx, await stageToEnrol(ctx, caller)))

/** Answers the backup codes, which are shown once. @throws AppError setup_not_initiated, invalid_totp_code, factor_limit, and as `stageToEnrol` */
export const confirmApp = async (ctx: RequestCtx, caller: User | undefined, code: string): Promise<readonly string[]> =>
  (await confirmTotp(onPage(ctx), await stageToEnrol(ctx, caller), { code })).backupCodes
