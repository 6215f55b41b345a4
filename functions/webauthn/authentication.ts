// A passkey as a factor: the second factor of a login transaction, or step-up of a session.
import type * as z from 'zod'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findCustomDomains } from '#db/store/domains'
import { findPasskey, findPasskeys, type Passkey } from '#db/store/passkeys'
import { lockUser } from '#db/store/users'
import { type ClaimedIdentity, type FactorContext, loadFactorContext } from '#shared/domains/factors/factor-context'
import { acceptProof, FACTOR_VERIFIED_EVENT, renewedToken, type SessionRenewal } from '#shared/domains/factors/verify'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { passkeyAmr } from './amr.ts'
import { checkAssertion, recordPasskeyUse, refuseCopiedPasskey, refusedAssertion } from './assertion.ts'
import { beginCeremony, type CeremonyPurpose, consumeCeremony, expiredCeremonyCookie, type UserVerification } from './challenge.ts'
import { Assertion, type RequestOptions } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import { requestOptions } from './options.ts'
import { ceremonyBinding } from './registration.ts'
import { type RelyingParty, relyingParty } from './relying-party.ts'

export type MissingCeremony = { readonly code: ErrorCode; readonly extra?: Readonly<Record<string, unknown>> }
/** Which of AuthSec's forms is used: it has its own ceremonies and its own error for a person without a passkey. */
export type AuthenticationForm = { readonly purpose: Extract<CeremonyPurpose, 'authentication' | 'login'>; readonly missing: MissingCeremony }

/** After a password user presence is enough; otherwise the passkey must verify the user. */
const verificationFor = ({ by }: FactorContext): UserVerification =>
  (by.kind === 'session' ? by.caller.amr : by.loginTransaction.verified).includes('pwd') ? 'preferred' : 'required'

/** Passkeys of the page's relying party; on a tenant's domain without any, those of a related domain of the same tenant. */
const usable = async (
  ctx: Ctx,
  factorContext: FactorContext,
  rp: RelyingParty,
): Promise<{ readonly rpId: string; readonly passkeys: readonly Passkey[] }> => {
  const all = (await findPasskeys(forTenant(ctx.db, factorContext.tenantId), factorContext.user.id)).filter(
    ({ counterAlarmAt }) => counterAlarmAt === null,
  )
  const own = all.filter(({ rpId }) => rpId === rp.id)
  if (own.length > 0 || !rp.custom) return { rpId: rp.id, passkeys: own }
  const related = await findCustomDomains(directory(ctx.db), factorContext.tenantId)
  const rpId = all.find((passkey) => related.includes(passkey.rpId))?.rpId ?? rp.id
  return { rpId, passkeys: all.filter((passkey) => passkey.rpId === rpId) }
}

/** @throws AppError authentication_required, invalid_origin, and the form's own error if there is no passkey */
export const beginAuthentication = async (
  ctx: Ctx,
  caller: User | undefined,
  body: ClaimedIdentity,
  form: AuthenticationForm,
): Promise<HttpResult<z.input<typeof RequestOptions>>> => {
  const factorContext = await loadFactorContext(ctx, caller, body, FACTOR_VERIFIED_EVENT)
  const rp = await relyingParty(ctx, factorContext.tenantId)
  const { rpId, passkeys } = await usable(ctx, factorContext, rp)
  if (passkeys.length === 0) throw new AppError(form.missing.code, undefined, form.missing.extra === undefined ? {} : { extra: form.missing.extra })
  const userVerification = verificationFor(factorContext)
  const started = await beginCeremony(ctx, {
    tenantId: factorContext.tenantId,
    userId: factorContext.user.id,
    purpose: form.purpose,
    binding: ceremonyBinding(ctx, factorContext),
    rp,
    rpId,
    userVerification,
  })
  return new HttpResult(requestOptions(started, { rpId, passkeys, userVerification }), { cookies: started.cookies })
}

/** The assertion as a member, or its members at the top of the body. */
export type AuthenticationFinish = ClaimedIdentity & { readonly session_id?: string | undefined; readonly credential?: Assertion | undefined }

/** @throws AppError invalid_request */
export const parseAssertion = (body: AuthenticationFinish): Assertion => {
  if (body.credential !== undefined) return body.credential
  const { data } = Assertion.safeParse(body)
  if (data === undefined) throw new AppError('invalid_request', 'email and credential are required', { field: 'body.credential' })
  return data
}

type FinishAuthentication = ClaimedIdentity & { readonly credential: Assertion; readonly session_id?: string | undefined }

const answerOf = async (ctx: Ctx, factorContext: FactorContext, passkey: Passkey, renewal: SessionRenewal | undefined) =>
  new HttpResult(
    {
      success: true as const,
      message: 'The passkey is verified.',
      user_id: factorContext.user.id,
      email: factorContext.user.email,
      credential_id: Buffer.from(passkey.credentialId, 'base64url').toString('hex'),
      ...(renewal === undefined ? {} : await renewedToken(ctx, renewal)),
    },
    { cookies: [expiredCeremonyCookie(ctx)] },
  )

/**
 * In a login transaction this verifies the factor, and the last step issues the token. In a session this renews the sign-in and replaces the token.
 * Routes that call this emit `factor.verified`, `session.stepped_up`, `passkey.counter_regressed`.
 * @throws AppError authentication_required, no_authentication_session, passkey_refused
 */
export const finishAuthentication = async (
  ctx: Ctx,
  caller: User | undefined,
  body: FinishAuthentication,
  { purpose }: Pick<AuthenticationForm, 'purpose'>,
) => {
  const factorContext = await loadFactorContext(ctx, caller, body, FACTOR_VERIFIED_EVENT)
  const { tenantId, user } = factorContext
  const ceremony = await consumeCeremony(ctx, {
    who: { tenantId, userId: user.id },
    purpose,
    binding: ceremonyBinding(ctx, factorContext),
    sessionId: body.session_id,
    missing: 'no_authentication_session',
  })
  const passkey = await findPasskey(forTenant(ctx.db, tenantId), user.id, body.credential.id)
  if (passkey === undefined) throw refusedAssertion({ tenantId, userId: user.id })
  const proved = await checkAssertion(body.credential, passkey, ceremony)
  const done = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    await lockUser(t, user.id)
    if (!(await recordPasskeyUse(t, ctx, passkey, proved))) return 'copied' as const
    const amr = passkeyAmr({ ...passkey, userVerified: proved.userVerified })
    return { renewal: await acceptProof(t, ctx, factorContext, { factorId: passkey.factorId, kind: 'webauthn', amr }) }
  })
  return done === 'copied' ? refuseCopiedPasskey(ctx, tenantId, user, passkey) : answerOf(ctx, factorContext, passkey, done.renewal)
}
