// A password in a verified voice session: the same checks as for every other password sign-in. The session is consumed.
import type * as z from 'zod'
import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { type Account, lockAccountAndFindRequirements } from '#db/store/sign-in'
import { findVoiceSession, moveVoiceSession, type VoiceSession } from '#db/store/voice'
import { grantedScopes } from '#shared/domains/device-authorization/scopes'
import { checkPassword, isUnchanged, requireProvedAddress } from '#shared/domains/sign-in/check-password'
import { namesOnly } from '#shared/domains/sign-in/choose-tenant'
import { factorState, isSatisfied } from '#shared/domains/sign-in/factors'
import { beginSession, mintToken } from '#shared/domains/sign-in/session'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import type { VoiceTokenMinted, VoiceTokenRequest } from './session.schema.ts'
import { tenantOfVoiceToken, voiceTokenHash } from './token.ts'

type Input = z.output<typeof VoiceTokenRequest>
const AMR = ['pwd']

const refused = (code: ErrorCode, tenantId?: TenantId, user?: Account): AppError =>
  new AppError(code, undefined, {
    refusal: { event: 'session.created', ...(tenantId === undefined ? {} : { tenantId }), ...(user === undefined ? {} : { userId: user.id }) },
  })

/** @throws AppError voice_invalid_request, voice_expired */
const requireVerified = async (ctx: Ctx, token: string): Promise<VoiceSession & { readonly tenantId: TenantId }> => {
  const tenantId = tenantOfVoiceToken(token)
  const session = tenantId === undefined ? undefined : await findVoiceSession(forTenant(ctx.db, tenantId), voiceTokenHash(ctx, token))
  if (tenantId === undefined || session === undefined) throw refused('voice_invalid_request', tenantId)
  if (session.status === 'consumed' || session.expiresAt <= ctx.clock.now()) throw refused('voice_expired', tenantId)
  if (session.status !== 'verified') throw refused('voice_invalid_request', tenantId)
  return { ...session, tenantId }
}

/** @throws AppError voice_invalid_grant */
const requireOwnDomain = async (ctx: Ctx, tenantId: TenantId, named: string | undefined): Promise<void> => {
  if (!(await namesOnly(ctx, tenantId, named))) throw refused('voice_invalid_grant', tenantId)
}

/**
 * Issues a token if a password is sufficient; a person who needs a second factor signs in on a screen.
 * @throws AppError voice_invalid_request, voice_expired, voice_invalid_grant, invalid_credentials, password_reset_required, temporary_password_expired,
 * email_not_verified, quota_exceeded
 */
export const tokenForPassword = async (ctx: Ctx, body: Input): Promise<z.input<typeof VoiceTokenMinted>> => {
  const session = await requireVerified(ctx, body.session_token)
  const { tenantId } = session
  await requireOwnDomain(ctx, tenantId, body.tenant_domain)
  const { user, tenant } = await checkPassword(ctx, tenantId, body.email, body.password)
  requireProvedAddress(ctx, tenant, user)
  const startedSession = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const now = ctx.clock.now()
    const [held, requirements] = await lockAccountAndFindRequirements(t, user.id, now)
    if (!isUnchanged(user, held)) throw refused('invalid_credentials', tenantId, user)
    if (!isSatisfied(factorState(requirements).required, AMR)) throw refused('voice_invalid_grant', tenantId, user)
    if (!(await moveVoiceSession(t, session.id, 'verified', 'consumed', now))) throw refused('voice_expired', tenantId, user)
    const scopes = await grantedScopes(t, user.id, session.scopes, now)
    return beginSession(t, ctx, { user, clientId: session.clientId, amr: AMR, authTime: now, scopes, remembersBrowser: false, requirements })
  })
  const { token, expiresInSeconds } = await mintToken(ctx, startedSession)
  return { access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds }
}
