// The authorization endpoint: whose request it is, where its answer goes, who the person is, and whether the person lets the client. No answer is sent to an
// address before it is proved to be the client's; until then a person reads what is wrong.

import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { type ConsentState, findConsentState, findRequest, insertRequest, type KeptRequest, takeRequest } from '#db/store/oauth-authorizations'
import type { OauthClient } from '#db/store/oauth-clients'
import { type ConsentStates, findClientAndConsent } from '#db/store/oauth-code-flow'
import { newHandle, readHandle } from '#shared/domains/oauth/handles'
import { ENDPOINTS, isIdentityScope, REQUEST_URI } from '#shared/domains/oauth/offered'
import { weighSignIn } from '#shared/domains/oauth/sign-in-need'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { goTo } from '#shared/platform/http/pages/go'
import { readVisit } from '#shared/platform/http/pages/visit'
import { oauthDescription, oauthName } from '#shared/platform/http/problem'
import { type As, as, Sent } from '#shared/platform/http/route'
import { askedLanguage } from '#shared/platform/pages/hosted.tsx'
import type { User } from '#shared/platform/principals/principal'
import { isNobodys, judgedOrPending, settleClient } from './admission.ts'
import { type Judged, judge, type Parameters, pickParameters } from './authorization-request.ts'
import { findClientBeside, findClientById } from './client-authentication.ts'
import { consentPage } from './consent.page.tsx'
import { knownTypes } from './detail-types.ts'
import { giveFirstAccess } from './first-access.ts'
import type { Ctx } from './group.ts'
import { isOfFormerKey, readIdTokenHint } from './id-token-hint.ts'
import { issueCode } from './issue-code.ts'
import { answerAt, isAnybodysPlace, isLoopback, isOwnCallback, redirectUriFor } from './redirect.ts'

export type Page = Sent<As<200, string>> | Sent<As<303, undefined>>
/** How long a person may take to sign in and to decide. */
const WAITING_SECONDS = 900

export const away = (location: string): Sent<As<303, undefined>> => new Sent(as(303, undefined), { headers: { Location: location } })

export type Asked = {
  readonly client: OauthClient
  readonly parameters: Parameters
  /** How the request came, if it was kept here. */
  readonly kept: KeptRequest | undefined
  /** What whoever is signed in may have through the client, where that was read with it. */
  readonly states?: ConsentStates | undefined
}

const unknownClient = (): AppError => new AppError('invalid_request', 'client_id is missing, or of no client that may be used.')

/** @throws AppError invalid_request_uri */
const keptRequest = async (ctx: Ctx, client: OauthClient, requestUri: string): Promise<KeptRequest> => {
  const handle = requestUri.startsWith(REQUEST_URI) ? readHandle(requestUri.slice(REQUEST_URI.length)) : undefined
  if (handle === undefined || handle.tenantId !== client.tenantId) throw new AppError('invalid_request_uri')
  const [t, now] = [forTenant(ctx.db, client.tenantId), ctx.clock.now()]
  const found = await findRequest(t, handle.hash, now, ['pushed', 'waiting'])
  if (found === undefined || found.clientId !== client.clientId) throw new AppError('invalid_request_uri')
  // RFC 9126 section 4: what was pushed is used once. From here on it waits under a name of its own.
  if (found.kind === 'pushed' && (await atomically(t, (tx) => takeRequest(tx, handle.hash, now, ['pushed']))) === undefined) {
    throw new AppError('invalid_request_uri')
  }
  return found
}

const namedClient = async (
  ctx: Ctx,
  principal: User | undefined,
  clientId: string,
  resource: string | undefined,
  inTenant: TenantId | undefined,
): Promise<{ readonly client?: OauthClient | undefined; readonly states?: ConsentStates | undefined }> => {
  if (principal === undefined) return { client: await findClientById(ctx, clientId, resource, inTenant) }
  const { userId, tenantId } = principal
  const found = await findClientBeside(ctx, { clientId, resource, inTenant }, (t, of) => findClientAndConsent(t, { ...of, userId }))
  return { client: found?.client, states: found?.client.tenantId === tenantId ? found.beside : undefined }
}

/** @throws AppError invalid_request, invalid_request_uri: on a page */
const whoAsks = async (ctx: Ctx, principal: User | undefined, query: Readonly<Record<string, string>>): Promise<Asked> => {
  const { client_id: clientId = '', request_uri: requestUri, resource } = query
  if (/^https?:/.test(clientId) && requestUri === undefined) {
    await (await import('./metadata-document.ts')).knowMetadataClient(ctx, clientId, resource)
  }
  const inTenant = requestUri === undefined ? undefined : readHandle(requestUri.slice(REQUEST_URI.length))?.tenantId
  const { client: found, states } = await namedClient(ctx, principal, clientId, requestUri === undefined ? resource : undefined, inTenant)
  const named = found && (await settleClient(ctx, found, resource))
  if (named === undefined) throw unknownClient()
  if (isNobodys(named)) {
    throw new AppError('invalid_request', 'resource is missing, or names nothing that this client may ask for (RFC 8707).')
  }
  if (requestUri === undefined)
    return { client: named, parameters: pickParameters(query), kept: undefined, states: named === found ? states : undefined }
  const kept = await keptRequest(ctx, named, requestUri)
  const parameters = pickParameters(kept.parameters)
  const client = parameters.resource === undefined ? named : await findClientById(ctx, clientId, parameters.resource, inTenant)
  if (client === undefined) throw unknownClient()
  return { client, parameters, kept }
}

/** Keeps the request under a short name that a sign-in can lead back to; for a front end of the company's own, bound to the browser. */
export const keepWaiting = async (ctx: Ctx, { client, parameters, kept }: Asked, browserHash: Uint8Array | null): Promise<string> => {
  const handle = newHandle(ctx, client.tenantId)
  const now = ctx.clock.now()
  await insertRequest(forTenant(ctx.db, client.tenantId), {
    id: ctx.random.id(),
    kind: 'waiting',
    handleHash: handle.hash,
    clientId: client.clientId,
    parameters,
    browserHash,
    // A sign-in since then counts as fresh.
    createdAt: kept?.kind === 'waiting' ? kept.createdAt : now,
    expiresAt: secondsAfter(now, WAITING_SECONDS),
  })
  return handle.text
}

/** Where the request that waits goes on. */
export const waitingAt = (client: Pick<OauthClient, 'publicId'>, handle: string): string =>
  `${ENDPOINTS.authorization}?${new URLSearchParams({ client_id: client.publicId, request_uri: `${REQUEST_URI}${handle}` })}`

const wait = async (ctx: Ctx, asked: Asked): Promise<string> => waitingAt(asked.client, await keepWaiting(ctx, asked, null))

type Need =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'sign_in' }
  | { readonly kind: 'choose' }
  | { readonly kind: 'new_password' }
  | { readonly kind: 'confirm'; readonly query: Readonly<Record<string, string>> }

/** What the person still has to do about signing in. @throws AppError unmet_authentication_requirements when a fresh sign-in was not strong enough */
export const judgeSignIn = (j: Judged, principal: User | undefined, waitingSince: Date | undefined, now: Date): Need => {
  if (principal === undefined || principal.tenantId !== j.client.tenantId) return { kind: 'sign_in' }
  // A temporary password is good for a new one, and no client learns by it who somebody is.
  if (principal.passwordChangeRequired) return { kind: 'new_password' }
  const { isFresh, isStrong, isOld } = weighSignIn(j, principal, waitingSince, now)
  if (isFresh && !isStrong) throw new AppError('unmet_authentication_requirements')
  if (!isOld && isStrong) return { kind: 'nothing' }
  // OpenID Connect Core section 3.1.2.1: it may be another account than the one that is signed in.
  if (isOld && j.prompts.includes('select_account')) return { kind: 'choose' }
  return { kind: 'confirm', query: { ...(isOld ? { max_age: '0' } : {}), ...(isStrong ? {} : { acr_values: j.acrValues.join(' ') }) } }
}

/** An ID token in the request says who has to be signed in (section 3.1.2.1). @throws AppError invalid_request, login_required */
const requireHinted = async (ctx: Ctx, j: Judged, principal: User | undefined): Promise<void> => {
  if (j.idTokenHint === undefined) return
  const hinted = await readIdTokenHint(ctx, j.idTokenHint)
  if (hinted === undefined && (await isOfFormerKey(ctx, j.idTokenHint))) {
    if (j.prompts.includes('none')) throw new AppError('login_required', 'id_token_hint is too old to say who is meant.')
    return
  }
  if (hinted?.audience !== j.client.publicId) throw new AppError('invalid_request', 'id_token_hint is no ID token that this client was given.')
  if (principal !== undefined && principal.tenantId === j.client.tenantId && principal.userId !== hinted.userId) {
    throw new AppError('login_required', 'Somebody else is signed in than id_token_hint says.')
  }
}

const signInPage = (ctx: Ctx, j: Judged, need: Need, returnTo: string): Page => {
  // What the person chose before stays.
  const asked = readVisit(ctx)?.lang === undefined ? askedLanguage(j.uiLocales) : undefined
  const lang = asked === undefined ? {} : { lang: asked }
  if (need.kind === 'new_password') return goTo(ctx, `/me/password?${new URLSearchParams({ ...lang, return_to: returnTo })}`)
  if (need.kind === 'confirm') return goTo(ctx, `/confirm?${new URLSearchParams({ ...need.query, ...lang, return_to: returnTo })}`)
  const email = j.loginHint !== undefined && /^[^@\s]{1,64}@[^@\s]{1,255}$/.test(j.loginHint) ? j.loginHint : undefined
  const path = `/signin?${new URLSearchParams({ client_id: j.client.clientId, ...lang, ...(need.kind === 'choose' ? { other: '1' } : {}), return_to: returnTo })}`
  return goTo(ctx, path, email === undefined ? {} : { remember: { email } })
}

/**
 * Whoever cannot prove who they are (a program on the person's own device) is asked about every time (RFC 8252 section 8.6); so is whoever said itself what it
 * is called, and an MCP session, which somebody else may have begun.
 */
const isUnproved = (ctx: Ctx, { client, redirectUri }: Judged): boolean =>
  client.registeredBy !== 'administrator' ||
  isOwnCallback(ctx.config, redirectUri) ||
  (client.isPublic && (isLoopback(redirectUri) || !redirectUri.startsWith('https:')))

/** Of what is asked, what the person may have. @throws AppError access_denied when that is nothing */
export const grantable = (j: Judged, { held }: Pick<ConsentState, 'held'>): readonly string[] => {
  const scopes = j.scopes.filter((scope) => isIdentityScope(scope) || held.includes(scope))
  if (scopes.length === 0 && j.details.length === 0) throw new AppError('access_denied', 'Nothing of what is asked for can be given.')
  return scopes
}

/** What the person may have, and has allowed. Whoever comes to a resource server first may be given a role there before. */
const stateOf = async (ctx: Ctx, { client, states }: Asked, { resource }: Judged, principal: User): Promise<ConsentState> => {
  const givesRole = resource?.accessRoleId !== undefined
  if (givesRole) await giveFirstAccess(ctx, principal, resource.id, resource.accessRoleId)
  if (states !== undefined && !givesRole) return resource === undefined ? states.ofIdentity : states.atServer
  const of = { userId: principal.userId, clientId: client.clientId, resourceServerId: resource?.id ?? null, now: ctx.clock.now() }
  return findConsentState(forTenant(ctx.db, client.tenantId), of)
}

const withPerson = async (ctx: Ctx, asked: Asked, j: Judged, principal: User | undefined): Promise<Page> => {
  const { client, kept } = asked
  const types = await knownTypes(ctx, j)
  const isSilent = j.prompts.includes('none')
  await requireHinted(ctx, j, principal)
  const need = judgeSignIn(j, principal, kept?.kind === 'waiting' ? kept.createdAt : undefined, ctx.clock.now())
  if (principal === undefined || need.kind !== 'nothing') {
    if (isSilent) throw new AppError('login_required')
    // A new password is chosen on our own page.
    if (client.registeredBy === 'administrator' && need.kind !== 'new_password') {
      const led = await (await import('./front-end.ts')).leadToSignIn(ctx, asked)
      if (led !== undefined) return led
    }
    return signInPage(ctx, j, need, await wait(ctx, asked))
  }
  const state = await stateOf(ctx, asked, j, principal)
  const scopes = grantable(j, state)
  // What is asked for in detail is no habit: it is asked about every time.
  const isRemembered =
    j.details.length === 0 && scopes.every((scope) => state.granted.includes(scope)) && !j.prompts.includes('consent') && !isUnproved(ctx, j)
  if (isRemembered) return away(await issueCode(ctx, j, principal, scopes, types))
  if (isSilent) throw new AppError('consent_required')
  // Who cannot prove who they are is asked about by us.
  if (!isUnproved(ctx, j)) {
    const led = await (await import('./front-end.ts')).leadToConsent(ctx, { asked: j, parameters: asked.parameters, principal, scopes, types })
    if (led !== undefined) return led
  }
  // A page that can be loaded again must not stand under an address that counts once.
  if (kept?.kind === 'pushed') return goTo(ctx, await wait(ctx, asked))
  return consentPage(ctx, { asked: j, parameters: asked.parameters, principal, scopes, types })
}

/** What a person did too late or twice is no business of the client's. */
const FOR_THE_PERSON: ReadonlySet<string> = new Set(['form_expired', 'login_challenge_invalid', 'consent_challenge_invalid'])

/** Errors of the request, told to the client where they may be. */
export const toClient = async (ctx: Ctx, redirectUri: string, state: string | undefined, work: () => Promise<Page>): Promise<Page> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500 || error.status === 429 || FOR_THE_PERSON.has(error.code)) throw error
    const answer = { error: oauthName(error.code), error_description: oauthDescription(error.message), state }
    return away(answerAt(redirectUri, ctx.config.BASE_URL, answer))
  }
}

/** Errors of the request, told to the person. @throws AppError invalid_request */
const toPerson = async (work: () => Promise<Page>): Promise<Page> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500 || error.status === 429) throw error
    throw new AppError('invalid_request', error.message, {}, error)
  }
}

/** @throws AppError invalid_request, invalid_request_uri, login_challenge_invalid, consent_challenge_invalid: on a page */
export const authorize = async (ctx: Ctx, principal: User | undefined, query: Readonly<Record<string, string>>): Promise<Page> => {
  if (query.login_verifier !== undefined || query.consent_verifier !== undefined) {
    return (await import('./front-end.ts')).goOn(ctx, principal, query)
  }
  const asked = await whoAsks(ctx, principal, query)
  const { client, parameters, kept } = asked
  const redirectUri = redirectUriFor(ctx.config, client, parameters.redirect_uri)
  // Before it waited for a person, a request was judged by how it came.
  const pushed = kept !== undefined
  const work = async (): Promise<Page> => {
    const judged = await judgedOrPending(ctx, client, parameters.resource, () => judge({ client, parameters, pushed }, redirectUri))
    return withPerson(ctx, asked, judged, principal)
  }
  const isUnasked = principal?.tenantId !== client.tenantId && isAnybodysPlace(client, redirectUri)
  return isUnasked ? toPerson(work) : toClient(ctx, redirectUri, parameters.state, work)
}
