// A company's own front end for sign-in and consent. The browser carries a challenge there and brings a verifier back; the answer is validated here, as if the
// person had decided on our own page.

import { atomically } from '#db/engine/tenant'
import { type ConsentPrompt, findConsentState, insertAuthorizationRequest, type StoredAuthorizationRequest } from '#db/store/oauth-authorizations'
import { findLiveSession } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import { findUser } from '#db/store/users'
import { finishPageSignIn } from '#shared/domains/account/page-session'
import { browserBinding, type ChallengeResult, invalidChallenge, readChallengeResult } from '#shared/domains/oauth/challenge-answer'
import { canonical } from '#shared/domains/oauth/details'
import { frontEndAt } from '#shared/domains/oauth/front-end'
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

/** At most a second old; the redirect goes to a URL of ours first, which reads the setting again. */
const isElsewhere = async (ctx: Ctx, client: AuthorizationRequest['client']): Promise<boolean> =>
  (await frontEndAt(ctx, client.tenantId, client, client.loginUi)).kind === 'at'

/** Undefined where our own pages serve, also because the front end is at a place that is not the company's any more. */
export const redirectToSignInPage = async (ctx: Ctx, request: AuthorizationRequest): Promise<PageResult | undefined> => {
  if (!(await isElsewhere(ctx, request.client))) return undefined
  const { hash, remember } = browserBinding(ctx)
  const challenge = await storePendingRequest(ctx, request, hash)
  return redirectResult(ctx, `${HMGR}/login?${new URLSearchParams({ login_challenge: challenge })}`, { remember })
}

const askedOf = ({ request, scopes, types }: ConsentRequest): ConsentPrompt => {
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

/** Undefined where our own page is used. */
export const redirectToConsentPage = async (ctx: Ctx, question: ConsentRequest): Promise<PageResult | undefined> => {
  if (!(await isElsewhere(ctx, question.request.client))) return undefined
  const { hash, remember } = browserBinding(ctx)
  const { t, handle, row } = consentRequestRow(ctx, question)
  await insertAuthorizationRequest(t, { ...row, browserHash: hash, consent: askedOf(question) })
  return redirectResult(ctx, `${HMGR}/consent?${new URLSearchParams({ consent_challenge: handle })}`, { remember })
}

type Client = NonNullable<Awaited<ReturnType<typeof findClientByRowId>>>
type Back = ChallengeResult & { readonly client: Client; readonly redirectUri: string; readonly parameters: ReturnType<typeof pickParameters> }

const back = async (ctx: Ctx, answered: ChallengeResult): Promise<Back> => {
  const { t, row } = answered
  const parameters = pickParameters(row.parameters)
  const client = await findClientByRowId(ctx, t.tenantId, row.clientId, parameters.resource)
  if (client === undefined) throw new AppError('invalid_request', 'The client is no longer active.')
  return { ...answered, client, parameters, redirectUri: redirectUriFor(ctx.config, client, parameters.redirect_uri) }
}

/** @throws AppError access_denied, once the answer is used up */
const refuse = async ({ t, take }: Back): Promise<never> => {
  await atomically(t, take)
  throw new AppError('access_denied', 'The person denied access.')
}

/** Who signed in there, as things stand now. @throws AppError login_challenge_invalid */
const findSignedIn = async (ctx: Ctx, { t, row }: Back) => {
  const [userId, sessionId] = [row.userId ?? '', row.sessionId ?? '']
  const session = await findLiveSession(t, userId, sessionId, ctx.clock.now())
  const [user, tenant] = [await findUser(t, userId), await findTenant(t)]
  const isIn = session !== undefined && !session.temporaryPassword && user?.active === true && user.deletedAt === null
  if (!isIn || tenant?.status !== 'active') throw invalidChallenge('login')
  return { t, user, tenant, session }
}

/** The session that was proved there goes on in this browser, and with it the request that waited. */
const signedIn = async (ctx: Ctx, before: User | undefined, answer: Back): Promise<PageResult> => {
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
  const onward = pendingRequestUrl(client, await storePendingRequest(ctx, { client, parameters, stored }, null))
  const minted = { ...(await reissueSessionToken(ctx, signedInSession, client.clientId)), cookies: [] }
  const ended = before?.sessionId === session.id ? undefined : before
  const { headers, cookies } = await finishPageSignIn(ctx, {
    minted,
    clientId: client.clientId,
    cookies: [],
    returnTo: onward,
    before: ended,
  })
  return new HttpResult(withStatus(303, undefined), { headers, cookies })
}

/** The answer can only narrow what was requested and may be granted now. */
const decided = async (ctx: Ctx, principal: User | undefined, answer: Back): Promise<PageResult> => {
  const { t, row, client, parameters, redirectUri, take } = answer
  const isSame = principal?.userId === row.userId && principal?.sessionId === row.sessionId && !principal.passwordChangeRequired
  if (principal === undefined || !isSame || row.consent === null) {
    throw invalidChallenge('consent')
  }
  const consented = row.consent
  return reportToClient(ctx, responsePlaceOf(client, parameters, redirectUri), async () => {
    const whole = validateAuthorizationRequest({ client, parameters, pushed: true }, redirectUri)
    const keptDetails = new Set(consented.details.map(canonical))
    const j = { ...whole, details: whole.details.filter((detail) => keptDetails.has(canonical(detail))) }
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
  const answer = await back(ctx, await readChallengeResult(ctx, step, clientId, login ?? consent ?? ''))
  if (!answer.accepts) return reportToClient(ctx, responsePlaceOf(answer.client, answer.parameters, answer.redirectUri), () => refuse(answer))
  // The company no longer uses this front end, so its current owner may have given this answer.
  if (!(await isElsewhere(ctx, answer.client))) throw invalidChallenge(step)
  return step === 'login' ? signedIn(ctx, principal, answer) : decided(ctx, principal, answer)
}
