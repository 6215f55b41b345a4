// A passkey as a factor: in a login transaction it is the verified second one, in a session it renews the sign-in.
import type * as z from 'zod'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findCustomDomains } from '#db/store/domains'
import { findPasskey, findPasskeys, type Passkey } from '#db/store/passkeys'
import { lockUser } from '#db/store/users'
import { type Claimed, type Stage, stageOf } from '#shared/domains/factors/stage'
import { countProof, type Renewal, renewedToken, VERIFIED } from '#shared/domains/factors/verify'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { amrOf } from './amr.ts'
import { judgeAssertion, noteUse, refuseCopied, refusedAssertion } from './assertion.ts'
import { beginCeremony, endedCookie, type Purpose, takeCeremony, type UserVerification } from './challenge.ts'
import { Assertion, type RequestOptions } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import { requestOptions } from './options.ts'
import { boundTo } from './registration.ts'
import { type RelyingParty, relyingParty } from './relying-party.ts'

export type Missing = { readonly code: ErrorCode; readonly extra?: Readonly<Record<string, unknown>> }
/** Which of AuthSec's forms: its own ceremonies, and what it says of a person without a passkey. */
export type Form = { readonly purpose: Extract<Purpose, 'authentication' | 'login'>; readonly missing: Missing }

/** Beside a password the touch is enough, if the authenticator can no more; alone it is not. */
const verificationFor = ({ by }: Stage): UserVerification =>
  (by.kind === 'session' ? by.caller.amr : by.ticket.verified).includes('pwd') ? 'preferred' : 'required'

/** Passkeys of the page's relying party; on a tenant's domain where there are none, those of a related domain of the same tenant. */
const usable = async (ctx: Ctx, stage: Stage, rp: RelyingParty): Promise<{ readonly rpId: string; readonly passkeys: readonly Passkey[] }> => {
  const all = (await findPasskeys(forTenant(ctx.db, stage.tenantId), stage.user.id)).filter(({ counterAlarmAt }) => counterAlarmAt === null)
  const own = all.filter(({ rpId }) => rpId === rp.id)
  if (own.length > 0 || !rp.custom) return { rpId: rp.id, passkeys: own }
  const related = await findCustomDomains(directory(ctx.db), stage.tenantId)
  const rpId = all.find((passkey) => related.includes(passkey.rpId))?.rpId ?? rp.id
  return { rpId, passkeys: all.filter((passkey) => passkey.rpId === rpId) }
}

/** @throws AppError authentication_required, invalid_origin, and as the form says when there is no passkey */
export const beginAuthentication = async (
  ctx: Ctx,
  caller: User | undefined,
  body: Claimed,
  form: Form,
): Promise<Sent<z.input<typeof RequestOptions>>> => {
  const stage = await stageOf(ctx, caller, body, VERIFIED)
  const rp = await relyingParty(ctx, stage.tenantId)
  const { rpId, passkeys } = await usable(ctx, stage, rp)
  if (passkeys.length === 0) throw new AppError(form.missing.code, undefined, form.missing.extra === undefined ? {} : { extra: form.missing.extra })
  const userVerification = verificationFor(stage)
  const begun = await beginCeremony(ctx, {
    tenantId: stage.tenantId,
    userId: stage.user.id,
    purpose: form.purpose,
    binding: boundTo(ctx, stage),
    rp,
    rpId,
    userVerification,
  })
  return new Sent(requestOptions(begun, { rpId, passkeys, userVerification }), { cookies: begun.cookies })
}

/** The assertion as a member, or its members at the top. */
export type Finishing = Claimed & { readonly session_id?: string | undefined; readonly credential?: Assertion | undefined }

/** @throws AppError invalid_request */
export const assertionIn = (body: Finishing): Assertion => {
  if (body.credential !== undefined) return body.credential
  const { data } = Assertion.safeParse(body)
  if (data === undefined) throw new AppError('invalid_request', 'email and credential are required', { field: 'body.credential' })
  return data
}

type FinishAuthentication = Claimed & { readonly credential: Assertion; readonly session_id?: string | undefined }

const answerOf = async (ctx: Ctx, stage: Stage, passkey: Passkey, renewal: Renewal | undefined) =>
  new Sent(
    {
      success: true as const,
      message: 'The passkey is verified.',
      user_id: stage.user.id,
      email: stage.user.email,
      credential_id: Buffer.from(passkey.credentialId, 'base64url').toString('hex'),
      ...(renewal === undefined ? {} : await renewedToken(ctx, renewal)),
    },
    { cookies: [endedCookie(ctx)] },
  )

/**
 * In a login transaction the factor counts there, and the last step mints; in a session the sign-in is renewed and its token replaced.
 * Routes that call this emit `factor.verified`, `session.stepped_up`, `passkey.counter_regressed`.
 * @throws AppError authentication_required, no_authentication_session, passkey_refused
 */
export const finishAuthentication = async (ctx: Ctx, caller: User | undefined, body: FinishAuthentication, { purpose }: Pick<Form, 'purpose'>) => {
  const stage = await stageOf(ctx, caller, body, VERIFIED)
  const { tenantId, user } = stage
  const ceremony = await takeCeremony(ctx, {
    who: { tenantId, userId: user.id },
    purpose,
    binding: boundTo(ctx, stage),
    sessionId: body.session_id,
    missing: 'no_authentication_session',
  })
  const passkey = await findPasskey(forTenant(ctx.db, tenantId), user.id, body.credential.id)
  if (passkey === undefined) throw refusedAssertion({ tenantId, userId: user.id })
  const proved = await judgeAssertion(body.credential, passkey, ceremony)
  const done = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    await lockUser(t, user.id)
    if (!(await noteUse(t, ctx, passkey, proved))) return 'copied' as const
    const amr = amrOf({ ...passkey, userVerified: proved.userVerified })
    return { renewal: await countProof(t, ctx, stage, { factorId: passkey.factorId, kind: 'webauthn', amr }) }
  })
  return done === 'copied' ? refuseCopied(ctx, tenantId, user, passkey) : answerOf(ctx, stage, passkey, done.renewal)
}
