// Registering a passkey: in a recent session, or in the login transaction of a person without a factor. Creates no account and returns no token.
import type * as z from 'zod'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { findPasskeys, insertPasskey } from '#db/store/passkeys'
import { findApplication } from '#shared/domains/clients/application'
import { enrolFactor, loadEnrolmentContext } from '#shared/domains/factors/enrolment'
import { type ClaimedIdentity, type FactorContext, factorContextBinding } from '#shared/domains/factors/factor-context'
import { browserLanguage } from '#shared/domains/notifications/reader-language'
import { defaultName } from '#shared/domains/passkeys/provider'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { passkeyAmr } from './amr.ts'
import { beginCeremony, type Ceremony, consumeCeremony, expiredCeremonyCookie } from './challenge.ts'
import type { CreationOptions, Registered } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import { creationOptions, userHandleOf } from './options.ts'
import { relyingParty } from './relying-party.ts'
import { type NewCredential, UnacceptableCredential, verifyRegistration } from './verification.ts'

const EVENT = 'factor.added'

export const entryHash = (ctx: Pick<Ctx, 'hash'>, credentialId: string, userHandle: string): Uint8Array =>
  ctx.hash('passkey-directory', credentialId, userHandle)
export const ceremonyBinding = (ctx: Pick<Ctx, 'hash'>, factorContext: FactorContext): string =>
  Buffer.from(factorContextBinding(ctx, factorContext)).toString('base64url')

export type BeginRegistration = ClaimedIdentity & { readonly client_id?: string | undefined }

/** A named client must belong to the person's tenant; another tenant's is refused like an unknown one. @throws AppError invalid_client */
const requireOwnClient = async (ctx: Ctx, factorContext: FactorContext, clientId: string | undefined): Promise<void> => {
  if (clientId !== undefined && (await findApplication(ctx, clientId)).tenantId !== factorContext.tenantId) {
    throw new AppError('invalid_client', undefined, { field: 'body.client_id' })
  }
}

/** @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required, invalid_client, invalid_origin */
export const beginRegistration = async (
  ctx: Ctx,
  caller: User | undefined,
  body: BeginRegistration,
): Promise<HttpResult<z.input<typeof CreationOptions>>> => {
  const factorContext = await loadEnrolmentContext(ctx, caller, body)
  await requireOwnClient(ctx, factorContext, body.client_id)
  const { tenantId, user } = factorContext
  const rp = await relyingParty(ctx, tenantId)
  const started = await beginCeremony(ctx, {
    tenantId,
    userId: user.id,
    purpose: 'registration',
    binding: ceremonyBinding(ctx, factorContext),
    rp,
    userVerification: 'preferred',
  })
  const passkeys = await findPasskeys(forTenant(ctx.db, tenantId), user.id)
  return new HttpResult(creationOptions(started, rp, user, passkeys), { cookies: started.cookies })
}

/** Every refusal looks the same to the caller; the reason is in the log only. */
const refused = ({ tenantId, user }: FactorContext, cause?: unknown): AppError =>
  new AppError('registration_failed', undefined, { refusal: { tenantId, userId: user.id, event: EVENT } }, cause)

export type FinishRegistration = ClaimedIdentity & {
  readonly credential: Registered
  readonly session_id?: string | undefined
  readonly name?: string | undefined
}
type New = { readonly factorId: string; readonly credential: NewCredential; readonly ceremony: Ceremony; readonly body: FinishRegistration }

/** Aborts the enrolment if the credential id is taken by any person. */
const store = async (t: TenantTx, ctx: Ctx, factorContext: FactorContext, { factorId, credential, ceremony, body }: New): Promise<void> => {
  const row = {
    ...credential,
    factorId,
    userId: factorContext.user.id,
    rpId: ceremony.rpId,
    transports: [...new Set(body.credential.response.transports ?? [])],
    discoverable: body.credential.clientExtensionResults?.credProps?.rk ?? null,
    createdAt: ctx.clock.now(),
  }
  if (!(await insertPasskey(t, row, entryHash(ctx, credential.credentialId, userHandleOf(factorContext.user.id))))) throw refused(factorContext)
}

/**
 * Routes that call this emit `factor.added`.
 * @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required, no_registration_session, registration_failed, factor_limit
 */
export const finishRegistration = async (ctx: Ctx, caller: User | undefined, body: FinishRegistration) => {
  const factorContext = await loadEnrolmentContext(ctx, caller, body)
  const ceremony = await consumeCeremony(ctx, {
    who: { tenantId: factorContext.tenantId, userId: factorContext.user.id },
    purpose: 'registration',
    binding: ceremonyBinding(ctx, factorContext),
    sessionId: body.session_id,
    missing: 'no_registration_session',
  })
  const credential = await verifyRegistration(body.credential, ceremony).catch((error: unknown) => {
    throw error instanceof UnacceptableCredential ? refused(factorContext, error) : error
  })
  const factorId = ctx.random.id()
  const name = body.name ?? defaultName(credential.aaguid, ctx.request.userAgent, factorContext.user.language ?? (await browserLanguage(ctx)))
  await atomically(forTenant(ctx.db, factorContext.tenantId), (t) =>
    enrolFactor(t, ctx, factorContext, {
      id: factorId,
      kind: 'webauthn',
      name,
      amr: passkeyAmr(credential),
      store: (tx) => store(tx, ctx, factorContext, { factorId, credential, ceremony, body }),
    }),
  )
  ctx.wakeOutbox()
  return new HttpResult(
    {
      success: true as const,
      message: 'The passkey is registered.',
      credential_id: Buffer.from(credential.credentialId, 'base64url').toString('hex'),
    },
    { cookies: [expiredCeremonyCookie(ctx)] },
  )
}
