// Signs in through a provider for an authorization request on a tenant's own front end: the person signs in as through any other entry point, and the session
// accepts the request.
import type * as z from 'zod'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findFederationState } from '#db/store/federation-states'
import { findTenant } from '#db/store/tenants'
import { isOriginOf } from '#shared/domains/federation/return-target'
import { findUpstream, listUpstreamsAt, type Upstream } from '#shared/domains/federation/upstream'
import { acceptLogin, findLoginChallenge } from '#shared/domains/oauth/login-challenge'
import { verifierCookie } from '#shared/domains/oauth/verifier-cookie'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { ChallengeAnswered, ChallengeCallback, InitiatedForChallenge, InitiateForChallenge } from './challenge.schema.ts'
import { redeemExchangeCodeForChallenge } from './exchange.ts'
import type { Ctx } from './group.ts'
import { type EnteredAccount, toFederationResult } from './outcome.ts'
import { locateFederationState, startRedirectFlow } from './state.ts'

/**
 * The origin that receives the response: the calling page. A caller that is not a browser names its domain; a browser can name only its own.
 * @throws AppError origin_not_verified
 */
const originOf = async (ctx: Ctx, tenantId: TenantId, named: string | undefined): Promise<string> => {
  const { origin = named === undefined ? new URL(ctx.config.PUBLIC_UI_ORIGIN ?? ctx.config.BASE_URL).origin : undefined } = ctx.request
  const requested = origin ?? `https://${named}`
  const url = URL.canParse(requested) ? new URL(requested) : undefined
  const isNamed = url !== undefined && (named === undefined || [url.host, url.hostname, url.origin].includes(named))
  if (!isNamed || !(await isOriginOf(ctx, requested, tenantId))) throw new AppError('origin_not_verified')
  return requested
}

/** @throws AppError not_found, provider_not_enabled */
const requireProvider = async (ctx: Ctx, tenantId: TenantId, clientId: string, name: string): Promise<Upstream> => {
  const offered = (await listUpstreamsAt(ctx, tenantId, clientId)).find((one) => one.name === name)
  if (offered !== undefined) return offered
  if ((await findUpstream(ctx, tenantId, name)) === undefined) throw new AppError('not_found', 'Provider not found')
  throw new AppError('provider_not_enabled', 'Provider is not active')
}

/** @throws AppError login_challenge_invalid, not_found, provider_not_enabled, provider_unavailable, origin_not_verified */
export const initiateForChallenge = async (
  ctx: Ctx,
  provider: string,
  body: z.output<typeof InitiateForChallenge>,
): Promise<HttpResult<z.input<typeof InitiatedForChallenge>>> => {
  const challenge = await findLoginChallenge(ctx, body.login_challenge)
  if (challenge === undefined) throw new AppError('login_challenge_invalid')
  const { tenantId, clientId, text } = challenge
  if ((await findTenant(forTenant(ctx.db, tenantId)))?.status !== 'active') throw new AppError('not_found', 'Client not found')
  const origin = await originOf(ctx, tenantId, body.origin_domain || undefined)
  const upstream = await requireProvider(ctx, tenantId, clientId, provider)
  const start = { tenantId, action: 'login', upstream, origin, redirectAfter: undefined, loginChallenge: text, forClientId: clientId } as const
  const { redirectUrl, state, cookie } = await startRedirectFlow(ctx, start)
  const verifier = body.code_verifier ? [verifierCookie(ctx, text, body.code_verifier)] : []
  return new HttpResult({ success: true, auth_url: redirectUrl, state, provider: upstream.name }, { cookies: [cookie, ...verifier] })
}

/** A decided or expired request must not consume the state. @throws AppError login_challenge_invalid */
const requireWaiting = async (ctx: Ctx, state: string): Promise<void> => {
  const located = locateFederationState(ctx, state)
  const found = located === undefined ? undefined : await findFederationState(located.t, located.key, ctx.clock.now())
  const challenge = found?.loginChallenge ?? undefined
  if (challenge !== undefined && (await findLoginChallenge(ctx, challenge)) === undefined) throw new AppError('login_challenge_invalid')
}

/** Returns undefined when the request requires a stronger or more recent sign-in. */
const accept = async (ctx: Ctx, { done, tenantId, user }: EnteredAccount, challenge: string): Promise<string | undefined> => {
  if (done.minted === undefined) return undefined
  const { sessionId, authTime, acr } = done.minted.grant
  try {
    return (await acceptLogin(ctx, { tenantId, userId: user.id, sessionId, authTime, acr }, challenge)).redirectTo
  } catch (error) {
    if (error instanceof AppError && error.code === 'insufficient_user_authentication') return undefined
    throw error
  }
}

const infoOf = ({ user, tenantId, proof }: EnteredAccount): NonNullable<z.input<typeof ChallengeAnswered>['user_info']> => ({
  user_id: user.id,
  email: user.email,
  name: user.name,
  provider: proof.provider,
  provider_id: proof.profile.subject,
  tenant_id: tenantId,
  ...(user.avatarUrl === null ? {} : { avatar_url: user.avatarUrl }),
  email_verified: proof.profile.emailVerified,
})

/** @throws AppError invalid_request, login_challenge_invalid, and the errors of `redeemExchangeCode` */
export const answerForChallenge = async (
  ctx: Ctx,
  { code, state, error }: z.output<typeof ChallengeCallback>,
): Promise<HttpResult<z.input<typeof ChallengeAnswered>>> => {
  if (error !== undefined && error !== '') throw new AppError('invalid_request', 'The provider refused the sign-in.', { field: 'body.error' })
  if (!code || !state) throw new AppError('invalid_request', 'Missing code or state', { field: code ? 'body.state' : 'body.code' })
  await requireWaiting(ctx, state)
  const { outcome, challenge } = await redeemExchangeCodeForChallenge(ctx, { code, state })
  // A step that is required before sign-in is thrown, with its handle.
  const answered = toFederationResult(ctx, outcome)
  const redirectTo = outcome.kind === 'entered' ? await accept(ctx, outcome, challenge) : undefined
  if (outcome.kind === 'entered' && redirectTo !== undefined) {
    return new HttpResult({ success: true, redirect_to: redirectTo, user_info: infoOf(outcome) }, { cookies: answered.cookies })
  }
  return new HttpResult({ success: false, error: 'Another step is required to sign in.', first_step: answered.result }, { cookies: answered.cookies })
}
