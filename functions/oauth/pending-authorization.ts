// Authorization requests that are stored until a person signs in or decides, and how their errors reach the client (RFC 6749 section 4.1.2.1).
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
import type { Parameters, ResponsePlace, ValidatedRequest } from './authorization-request.ts'
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
  /** The stored row, where the request was pushed or waits for a sign-in. */
  readonly stored: StoredAuthorizationRequest | undefined
  /** Consent state of the signed-in person, where it was read together with the client. */
  readonly states?: ConsentStates | undefined
}

/** Stores the request and returns its handle, for the way back from the sign-in. For a company's own front end the request is bound to the browser. */
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
    // A sign-in after this time is a new one.
    createdAt: stored?.kind === 'waiting' ? stored.createdAt : now,
    expiresAt: secondsAfter(now, WAITING_SECONDS),
  })
  return handle.text
}

/** The URL that continues a stored request. */
export const pendingRequestUrl = (client: Pick<OauthClient, 'publicId'>, handle: string): string =>
  `${ENDPOINTS.authorization}?${new URLSearchParams({ client_id: client.publicId, request_uri: `${REQUEST_URI}${handle}` })}`

/** The requested scopes that the person holds. @throws AppError access_denied when there are none */
export const grantableScopes = (j: ValidatedRequest, { held }: Pick<ConsentState, 'held'>): readonly string[] => {
  const scopes = j.scopes.filter((scope) => isIdentityScope(scope) || held.includes(scope))
  if (scopes.length === 0 && j.details.length === 0) throw new AppError('access_denied', 'None of the requested scopes can be granted.')
  return scopes
}

/** Errors of expired or repeated forms are reported to the person, not to the client. */
const PERSON_ERRORS: ReadonlySet<string> = new Set(['form_expired', 'login_challenge_invalid', 'consent_challenge_invalid'])

/** The response to the client, with the issuer (RFC 9207). */
export const answerClient = async (
  ctx: Ctx,
  { redirectUri, responseMode, state }: ResponsePlace,
  answer: Readonly<Record<string, string>>,
): Promise<PageResult> => {
  const response = { ...answer, ...(state === undefined ? {} : { state }), iss: ctx.config.BASE_URL }
  if (responseMode !== 'form_post') return redirectTo(authorizationResponseUrl(redirectUri, response, responseMode))
  return (await import('./form-post.page.tsx')).formPostPage(ctx, redirectUri, response)
}

/** Reports errors of the request to the client, where the specifications allow that. */
export const reportToClient = async (ctx: Ctx, place: ResponsePlace, work: () => Promise<PageResult>): Promise<PageResult> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500 || error.status === 429 || PERSON_ERRORS.has(error.code)) throw error
    return answerClient(ctx, place, { error: oauthName(error.code), error_description: oauthDescription(error.message) })
  }
}
