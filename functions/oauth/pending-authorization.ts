// An authorization request that waits for a person to sign in or to decide, and how its errors reach the client (RFC 6749 section 4.1.2.1).
import { forTenant } from '#db/engine/tenant'
import { type ConsentState, insertAuthorizationRequest, type StoredAuthorizationRequest } from '#db/store/oauth-authorizations'
import type { OauthClient } from '#db/store/oauth-clients'
import type { ConsentStates } from '#db/store/oauth-code-flow'
import { newHandle } from '#shared/domains/oauth/handles'
import { ENDPOINTS, isIdentityScope, REQUEST_URI } from '#shared/domains/oauth/supported'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { oauthDescription, oauthName } from '#shared/platform/http/problem'
import { HttpResult, type StatusResult, withStatus } from '#shared/platform/http/route'
import type { Parameters, ValidatedRequest } from './authorization-request.ts'
import type { Ctx } from './group.ts'
import { authorizationResponseUrl } from './redirect.ts'

export type PageResult = HttpResult<StatusResult<200, string>> | HttpResult<StatusResult<303, undefined>>
/** How long a person may take to sign in and to decide. */
const WAITING_SECONDS = 900

export const redirectTo = (location: string): HttpResult<StatusResult<303, undefined>> =>
  new HttpResult(withStatus(303, undefined), { headers: { Location: location } })

export type AuthorizationRequest = {
  readonly client: OauthClient
  readonly parameters: Parameters
  /** How the request came, if it was kept here. */
  readonly stored: StoredAuthorizationRequest | undefined
  /** What whoever is signed in may have through the client, where that was read with it. */
  readonly states?: ConsentStates | undefined
}

/** Keeps the request under a short name that a sign-in can lead back to; for a front end of the company's own, bound to the browser. */
export const storePendingRequest = async (
  ctx: Ctx,
  { client, parameters, stored }: AuthorizationRequest,
  browserHash: Uint8Array | null,
): Promise<string> => {
  const handle = newHandle(ctx, client.tenantId)
  const now = ctx.clock.now()
  await insertAuthorizationRequest(forTenant(ctx.db, client.tenantId), {
    id: ctx.random.id(),
    kind: 'waiting',
    handleHash: handle.hash,
    clientId: client.clientId,
    parameters,
    browserHash,
    // A sign-in since then counts as fresh.
    createdAt: stored?.kind === 'waiting' ? stored.createdAt : now,
    expiresAt: secondsAfter(now, WAITING_SECONDS),
  })
  return handle.text
}

/** Where the request that waits goes on. */
export const pendingRequestUrl = (client: Pick<OauthClient, 'publicId'>, handle: string): string =>
  `${ENDPOINTS.authorization}?${new URLSearchParams({ client_id: client.publicId, request_uri: `${REQUEST_URI}${handle}` })}`

/** Of what is asked, what the person may have. @throws AppError access_denied when that is nothing */
export const grantableScopes = (j: ValidatedRequest, { held }: Pick<ConsentState, 'held'>): readonly string[] => {
  const scopes = j.scopes.filter((scope) => isIdentityScope(scope) || held.includes(scope))
  if (scopes.length === 0 && j.details.length === 0) throw new AppError('access_denied', 'Nothing of what is asked for can be given.')
  return scopes
}

/** What a person did too late or twice is no business of the client's. */
const FOR_THE_PERSON: ReadonlySet<string> = new Set(['form_expired', 'login_challenge_invalid', 'consent_challenge_invalid'])

/** Errors of the request, told to the client where they may be. */
export const reportToClient = async (
  ctx: Ctx,
  redirectUri: string,
  state: string | undefined,
  work: () => Promise<PageResult>,
): Promise<PageResult> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500 || error.status === 429 || FOR_THE_PERSON.has(error.code)) throw error
    const answer = { error: oauthName(error.code), error_description: oauthDescription(error.message), state }
    return redirectTo(authorizationResponseUrl(redirectUri, ctx.config.BASE_URL, answer))
  }
}
