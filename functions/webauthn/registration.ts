// Registering a passkey: inside a recent session, or inside the login transaction of a person who has no factor yet. Makes nobody, and answers no token.
import type * as z from 'zod'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { findPasskeys, insertPasskey } from '#db/store/passkeys'
import { doorOf } from '#shared/domains/clients/application'
import { enrol, enroller } from '#shared/domains/factors/enrolment'
import { bindingOf, type Claimed, type Stage } from '#shared/domains/factors/stage'
import { browserLanguage } from '#shared/domains/notifications/reader-language'
import { defaultName } from '#shared/domains/passkeys/provider'
import { AppError } from '#shared/kernel/errors'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { amrOf } from './amr.ts'
import { beginCeremony, type Ceremony, endedCookie, takeCeremony } from './challenge.ts'
import type { CreationOptions, Registered } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import { creationOptions, userHandleOf } from './options.ts'
import { relyingParty } from './relying-party.ts'
import { type NewCredential, Unacceptable, verifyRegistration } from './verification.ts'

const EVENT = 'factor.added'

export const entryHash = (ctx: Pick<Ctx, 'hash'>, credentialId: string, userHandle: string): Uint8Array =>
  ctx.hash('passkey-directory', credentialId, userHandle)
export const boundTo = (ctx: Pick<Ctx, 'hash'>, stage: Stage): string => Buffer.from(bindingOf(ctx, stage)).toString('base64url')

export type BeginRegistration = Claimed & { readonly client_id?: string | undefined }

/** A client that is named has to be one of the person's tenant; another tenant's is as unknown as none. @throws AppError invalid_client */
const requireOwnClient = async (ctx: Ctx, stage: Stage, clientId: string | undefined): Promise<void> => {
  if (clientId !== undefined && (await doorOf(ctx, clientId)).tenantId !== stage.tenantId) {
    throw new AppError('invalid_client', undefined, { field: 'body.client_id' })
  }
}

/** @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required, invalid_client, invalid_origin */
export const beginRegistration = async (
  ctx: Ctx,
  caller: User | undefined,
  body: BeginRegistration,
): Promise<Sent<z.input<typeof CreationOptions>>> => {
  const stage = await enroller(ctx, caller, body)
  await requireOwnClient(ctx, stage, body.client_id)
  const { tenantId, user } = stage
  const rp = await relyingParty(ctx, tenantId)
  const begun = await beginCeremony(ctx, {
    tenantId,
    userId: user.id,
    purpose: 'registration',
    binding: boundTo(ctx, stage),
    rp,
    userVerification: 'preferred',
  })
  const passkeys = await findPasskeys(forTenant(ctx.db, tenantId), user.id)
  return new Sent(creationOptions(begun, rp, user, passkeys), { cookies: begun.cookies })
}

/** One answer for whatever was wrong with it; why is in the log alone. */
const refused = ({ tenantId, user }: Stage, cause?: unknown): AppError =>
  new AppError('registration_failed', undefined, { refusal: { tenantId, userId: user.id, event: EVENT } }, cause)

export type FinishRegistration = Claimed & {
  readonly credential: Registered
  readonly session_id?: string | undefined
  readonly name?: string | undefined
}
type New = { readonly factorId: string; readonly credential: NewCredential; readonly ceremony: Ceremony; readonly body: FinishRegistration }

/** Fails the whole enrolment when the credential id is taken, whoever has it. */
const store = async (t: TenantTx, ctx: Ctx, stage: Stage, { factorId, credential, ceremony, body }: New): Promise<void> => {
  const row = {
    ...credential,
    factorId,
    userId: stage.user.id,
    rpId: ceremony.rpId,
    transports: [...new Set(body.credential.response.transports ?? [])],
    discoverable: body.credential.clientExtensionResults?.credProps?.rk ?? null,
    createdAt: ctx.clock.now(),
  }
  if (!(await insertPasskey(t, row, entryHash(ctx, credential.credentialId, userHandleOf(stage.user.id))))) throw refused(stage)
}

/**
 * Routes that call this emit `factor.added`.
 * @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required, no_registration_session, registration_failed, factor_limit
 */
export const finishRegistration = async (ctx: Ctx, caller: User | undefined, body: FinishRegistration) => {
  const stage = await enroller(ctx, caller, body)
  const ceremony = await takeCeremony(ctx, {
    who: { tenantId: stage.tenantId, userId: stage.user.id },
    purpose: 'registration',
    binding: boundTo(ctx, stage),
    sessionId: body.session_id,
    missing: 'no_registration_session',
  })
  const credential = await verifyRegistration(body.credential, ceremony).catch((error: unknown) => {
    throw error instanceof Unacceptable ? refused(stage, error) : error
  })
  const factorId = ctx.random.id()
  const name = body.name ?? defaultName(credential.aaguid, ctx.request.userAgent, stage.user.language ?? (await browserLanguage(ctx)))
  await atomically(forTenant(ctx.db, stage.tenantId), (t) =>
    enrol(t, ctx, stage, {
      id: factorId,
      kind: 'webauthn',
      name,
      amr: amrOf(credential),
      store: (tx) => store(tx, ctx, stage, { factorId, credential, ceremony, body }),
    }),
  )
  ctx.wakeOutbox()
  return new Sent(
    {
      success: true as const,
      message: 'The passkey is registered.',
      credential_id: Buffer.from(credential.credentialId, 'base64url').toString('hex'),
    },
    { cookies: [endedCookie(ctx)] },
  )
}
