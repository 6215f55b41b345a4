// A company's own front end for sign-in and consent. The browser takes a challenge there and returns with a verifier; the result is validated here as if the
// person had used our own page.

import { atomically } from '#db/engine/tenant'
import { type ConsentPrompt, findConsentState, insertAuthorizationRequest, type StoredAuthorizationRequest } from '#db/store/oauth-authorizations'
import { findLiveSession } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import { findUser } from '#db/store/users'
import { finishPageSignIn } from '#shared/domains/account/page-session'
import { browserBinding, type ChallengeResult, invalidChallenge, readChallengeResult } from '#shared/domains/oauth/challenge-answer'
import { frontEndAt } from '#shared/domains/oauth/front-end'
import { canonicalJson } from '#shared/kernel/canonical-json'
import { AppError } from '#shared/kernel/errors'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HttpResult, withStatus } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { reissueSessionToken } from '#shared/platform/tokens/reissue'
import { pickParameters, responsePlaceOf, validateAuthorizationRequest } from './authorization-request.ts'
import { findClientByRowId } from './client-authentication.ts'
import { type ConsentRequest, consentRequestRow } from './consent-request.ts'
import { knownTypes } from './detail-types.ts'
import type { Ctx } from './group.ts'
import { issueCode } from './issue-code.ts'
import {
  type AuthorizationRequest,
  answerClient,
  grantableScopes,
  type PageResult,
  pendingRequestUrl,
  reportToClient,
  storePendingRequest,
} from './pending-authorization.ts'
import { redirectUriFor } from './redirect.ts'

const HMGR = '/authsec/hmgr'

/** The setting may be a second old; the redirect goes to a URL of ours first, which reads it again. */
const isElsewhere = async (ctx: Ctx, client: AuthorizationRequest['client']): Promise<boolean> =>
  (await frontEndAt(ctx, client.tenantId, client, client.loginUi)).kind === 'at'

/** Returns undefined where our own pages are used, also because the front end's domain no longer belongs to the company. */
export const redirectToSignInPage = async (ctx: Ctx, request: AuthorizationRequest): Promise<PageResult | undefined> => {
  if (!(await isElsewhere(ctx, request.client))) return undefined
  const { hash, remember } = browserBinding(ctx)
  const challenge = await storePendingRequest(ctx, request, hash)
  return redirectResult(ctx, `${HMGR}/login?${new URLSearchParams({ login_challenge: challenge })}`, { remember })
}

const promptOf = ({ request, scopes, types }: ConsentRequest): ConsentPrompt => {
  const { client, resource, details, redirectUri } = request
  const url = new URL(redirectUri)
  return {
    clientName: client.name,
    redirectHost: url.host === '' ? url.protocol : url.host,
    owner: client.agent?.owner ?? null,
    resource: resource === undefined ? null : { resource: resource.resource, name: resource.name },
    scopes: scopes.map((name) => ({ name, description: resource?.scopes.find((scope) => scope.name === name)?.description ?? '' })),
    details,
    types: Object.fromEntries(types.map(({ type, title }) => [type, title])),
    remember: true,
  }
}

/** Returns undefined where our own page is used. */
export const redirectToConsentPage = async (ctx: Ctx, consentRequest: ConsentRequest): Promise<PageResult | undefined> => {
  if (!(await isElsewhere(ctx, consentRequest.request.client))) return undefined
  const { hash, remember } = browserBinding(ctx)
  const { t, handle, row } = consentRequestRow(ctx, consentRequest)
  await insertAuthorizationRequest(t, { ...row, browserHash: hash, consent: promptOf(consentRequest) })
  return redirectResult(ctx, `${HMGR}/consent?${new URLSearchParams({ consent_challenge: handle })}`, { remember })
}

type Client = NonNullable<Awaited<ReturnType<typeof findClientByRowId>>>
type FrontEndResult = ChallengeResult & {
  readonly client: Client
  readonly redirectUri: string
  readonly parameters: ReturnType<typeof pickParameters>
}

const readResult = async (ctx: Ctx, answered: ChallengeResult): Promise<FrontEndResult> => {
  const { t, row } = answered
  const parameters = pickParameters(row.parameters)
  const client = await findClientByRowId(ctx, t.tenantId, row.clientId, parameters.resource)
  if (client === undefined) throw new AppError('invalid_request', 'The client is no longer active.')
  return { ...answered, client, parameters, redirectUri: redirectUriFor(ctx.config, client, parameters.redirect_uri) }
}

/** Consumes the result. @throws AppError access_denied */
const refuse = async ({ t, take }: FrontEndResult): Promise<never> => {
  await atomically(t, take)
  throw new AppError('access_denied', 'The person denied access.')
}

/** The session that was created at the front end, in its current state. @throws AppError login_challenge_invalid */
const findSignedIn = async (ctx: Ctx, { t, row }: FrontEndResult) => {
  const [userId, sessionId] = [row.userId ?? '', row.sessionId ?? '']
  const session = await findLiveSession(t, userId, sessionId, ctx.clock.now())
  const [user, tenant] = [await findUser(t, userId), await findTenant(t)]
  const isIn = session !== undefined && !session.temporaryPassword && user?.active === true && user.deletedAt === null
  if (!isIn || tenant?.status !== 'active') throw invalidChallenge('login')
  return { t, user, tenant, session }
}

/** Continues the session of the front end in this browser, and with it the pending request. */
const continueSession = async (ctx: Ctx, before: User | undefined, answer: FrontEndResult): Promise<PageResult> => {
  const { t, row, client, parameters, take } = answer
  const signedInSession = await findSignedIn(ctx, answer)
  const { session, user } = signedInSession
  await atomically(t, async (tx) => {
    await take(tx)
    await recordEvent(tx, ctx, {
      event: 'token.reissued',
      actor: { type: 'user', id: user.id, sessionId: session.id, clientId: client.clientId },
      target: { type: 'session', id: session.id },
    })
  })
  const stored: StoredAuthorizationRequest = { ...row, kind: 'waiting' }
  const continueUrl = pendingRequestUrl(client, await storePendingRequest(ctx, { client, parameters, stored }, null))
  const minted = { ...(await reissueSessionToken(ctx, signedInSession, client.clientId)), cookies: [] }
  const ended = before?.sessionId === session.id ? undefined : before
  const { headers, cookies } = await finishPageSignIn(ctx, {
    minted,
    clientId: client.clientId,
    cookies: [],
    returnTo: continueUrl,
    before: ended,
  })
  return new HttpResult(withStatus(303, undefined), { headers, cookies })
}

/** The decision can only narrow what was requested and can be granted now. */
const applyDecision = async (ctx: Ctx, principal: User | undefined, answer: FrontEndResult): Promise<PageResult> => {
  const { t, row, client, parameters, redirectUri, take } = answer
  const isSame = principal?.userId === row.userId && principal?.sessionId === row.sessionId && !principal.passwordChangeRequired
  if (principal === undefined || !isSame || row.consent === null) {
    throw invalidChallenge('consent')
  }
  const consented = row.consent
  return reportToClient(ctx, responsePlaceOf(client, parameters, redirectUri), async () => {
    const validated = validateAuthorizationRequest({ client, parameters, pushed: true }, redirectUri)
    const keptDetails = new Set(consented.details.map(canonicalJson))
    const j = { ...validated, details: validated.details.filter((detail) => keptDetails.has(canonicalJson(detail))) }
    const of = { userId: principal.userId, clientId: client.clientId, resourceServerId: j.resource?.id ?? null, now: ctx.clock.now() }
    const types = await knownTypes(ctx, j)
    const names = new Set(consented.scopes.map(({ name }) => name))
    const scopes = grantableScopes(j, await findConsentState(t, of)).filter((scope) => names.has(scope))
    if (scopes.length === 0 && j.details.length === 0) throw new AppError('access_denied', 'None of the allowed scopes can be granted.')
    return answerClient(ctx, j, { code: await issueCode(ctx, j, principal, scopes, types, { remember: consented.remember, also: take }) })
  })
}

/** @throws AppError login_challenge_invalid, consent_challenge_invalid, invalid_request: on a page */
export const continueAuthorization = async (ctx: Ctx, principal: User | undefined, query: Readonly<Record<string, string>>): Promise<PageResult> => {
  const { client_id: clientId = '', login_verifier: login, consent_verifier: consent } = query
  const step = login === undefined ? 'consent' : 'login'
  const answer = await readResult(ctx, await readChallengeResult(ctx, step, clientId, login ?? consent ?? ''))
  if (!answer.accepts) return reportToClient(ctx, responsePlaceOf(answer.client, answer.parameters, answer.redirectUri), () => refuse(answer))
  // If the company no longer uses this front end, its domain may have another owner, who may have sent this result.
  if (!(await isElsewhere(ctx, answer.client))) throw invalidChallenge(step)
  return step === 'login' ? continueSession(ctx, principal, answer) : applyDecision(ctx, principal, answer)
}
