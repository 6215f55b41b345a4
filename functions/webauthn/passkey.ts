// Signing in with only a passkey: one with user verification identifies its person. The result is a login ticket with both factors proved; the token is issued
// by the same last step as for every other sign-in.

import type * as z from 'zod'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findPasskey, findTenantOfPasskey, type Passkey } from '#db/store/passkeys'
import { findTenant } from '#db/store/tenants'
import { lockUser, type User } from '#db/store/users'
import { findApplication } from '#shared/domains/clients/application'
import { FACTOR_VERIFIED_EVENT } from '#shared/domains/factors/verify'
import { LOGIN_SECONDS, startLoginTransaction, transactionCookie } from '#shared/domains/login-transaction/login-transaction'
import { requireProvedAddress } from '#shared/domains/sign-in/check-password'
import { isUuid } from '#shared/kernel/ids'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { HttpResult } from '#shared/platform/http/route'
import { passkeyAmr } from './amr.ts'
import { checkAssertion, recordPasskeyUse, refuseCopiedPasskey, refusedAssertion } from './assertion.ts'
import { beginCeremony, type Ceremony, consumeCeremony, expiredCeremonyCookie } from './challenge.ts'
import type { Assertion, RequestOptions } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import { requestOptions } from './options.ts'
import type { BeginPasskey, FinishPasskey, PasskeyVerified } from './passkey.schema.ts'
import { entryHash } from './registration.ts'
import { relyingParty } from './relying-party.ts'
import type { VerifiedAssertion } from './verification.ts'

/** The person is still unknown, so the ceremony is bound to its handle only. */
const BINDING = 'nobody'

/**
 * The tenant is the client's, or the owner of the page's domain; on the platform's own pages it is known only from the passkey.
 * @throws AppError invalid_origin, invalid_client
 */
export const beginPasskey = async (ctx: Ctx, body: z.output<typeof BeginPasskey>): Promise<HttpResult<z.input<typeof RequestOptions>>> => {
  const application = body.client_id === undefined ? undefined : await findApplication(ctx, body.client_id)
  const rp = await relyingParty(ctx, application?.tenantId)
  const userVerification = 'required'
  const started = await beginCeremony(ctx, {
    tenantId: application?.tenantId ?? rp.tenantId ?? SYSTEM_TENANT,
    userId: undefined,
    clientId: application?.clientId,
    purpose: 'passkey',
    binding: BINDING,
    rp,
    userVerification,
  })
  return new HttpResult(requestOptions(started, { rpId: rp.id, passkeys: [], userVerification }), { cookies: started.cookies })
}

type Owner = { readonly tenantId: TenantId; readonly passkey: Passkey }

/** Finds the passkey and its person. An unknown passkey has its own error, with which the page can ask the browser to forget it. @throws AppError passkey_refused */
const ownerOf = async (ctx: Ctx, { id, response }: Assertion, ceremony: Ceremony): Promise<Owner> => {
  const { userHandle } = response
  const userId = Buffer.from(userHandle ?? '', 'base64url').toString()
  if (userHandle == null || !isUuid(userId)) throw refusedAssertion(undefined)
  const tenantId = await findTenantOfPasskey(directory(ctx.db), entryHash(ctx, id, userHandle))
  const passkey = tenantId === undefined ? undefined : await findPasskey(forTenant(ctx.db, tenantId), userId, id)
  if (tenantId === undefined || passkey === undefined) {
    throw refusedAssertion(undefined, { signal: { method: 'signalUnknownCredential', rp_id: ceremony.rpId, credential_id: id } })
  }
  if (ceremony.tenantId !== SYSTEM_TENANT && ceremony.tenantId !== tenantId) throw refusedAssertion(undefined)
  return { tenantId, passkey }
}

type Opened = { readonly user: User; readonly transactionToken: string }

/** Locks the person's row, so that ending all sign-ins is ordered before or after this. */
const openLogin = async (
  t: TenantTx,
  ctx: Ctx,
  passkey: Passkey,
  proved: VerifiedAssertion,
  clientId: string | undefined,
): Promise<Opened | User> => {
  const about = { tenantId: t.tenantId, userId: passkey.userId }
  const user = await lockUser(t, passkey.userId)
  const tenant = await findTenant(t)
  if (user === undefined || !user.active || user.deletedAt !== null || user.passwordResetRequired) throw refusedAssertion(about)
  if (tenant?.status !== 'active') throw refusedAssertion(about)
  requireProvedAddress(ctx, tenant, user)
  if (!(await recordPasskeyUse(t, ctx, passkey, proved))) return user
  const amr = passkeyAmr({ ...passkey, userVerified: proved.userVerified })
  const transactionToken = await startLoginTransaction(t, ctx, {
    purpose: 'login',
    userId: user.id,
    clientId: clientId ?? null,
    verified: [...amr],
    mailboxProvedAt: user.emailVerifiedAt,
    seconds: LOGIN_SECONDS,
  })
  const actor = { type: 'user', id: user.id } as const
  const target = { type: 'factor', id: passkey.factorId }
  await recordEvent(t, ctx, { event: FACTOR_VERIFIED_EVENT, actor, target, subjectId: user.id, after: { kind: 'webauthn', amr } })
  return { user, transactionToken }
}

/**
 * Routes that call this emit `factor.verified`, `passkey.counter_regressed`.
 * @throws AppError no_authentication_session, passkey_refused, email_not_verified
 */
export const finishPasskey = async (ctx: Ctx, body: z.output<typeof FinishPasskey>): Promise<HttpResult<z.input<typeof PasskeyVerified>>> => {
  const { credential, session_id: sessionId } = body
  const ceremony = await consumeCeremony(ctx, {
    who: undefined,
    purpose: 'passkey',
    binding: BINDING,
    sessionId,
    missing: 'no_authentication_session',
  })
  const { tenantId, passkey } = await ownerOf(ctx, credential, ceremony)
  const proved = await checkAssertion(credential, passkey, ceremony)
  const done = await atomically(forTenant(ctx.db, tenantId), (t) => openLogin(t, ctx, passkey, proved, ceremony.clientId))
  if (!('transactionToken' in done)) return refuseCopiedPasskey(ctx, tenantId, done, passkey)
  const { user, transactionToken } = done
  return new HttpResult(
    {
      success: true,
      login_ticket: transactionToken,
      tenant_id: tenantId,
      user_id: user.id,
      email: user.email,
      first_login: user.lastLoginAt === null,
      mfa_required: false,
    },
    { cookies: [transactionCookie(ctx, 'login', transactionToken), expiredCeremonyCookie(ctx)] },
  )
}
