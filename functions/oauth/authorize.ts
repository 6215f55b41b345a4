// The authorization endpoint: identifies the client, validates the redirect URI, signs the person in and asks for consent. Nothing is sent to a redirect URI
// before it is validated; until then errors go to the person, on a page.
import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import {
  type ConsentState,
  consumeAuthorizationRequest,
  findAuthorizationRequest,
  findConsentState,
  type StoredAuthorizationRequest,
} from '#db/store/oauth-authorizations'
import type { OauthClient } from '#db/store/oauth-clients'
import { type ConsentStates, findClientAndConsent } from '#db/store/oauth-code-flow'
import { readHandle } from '#shared/domains/oauth/handles'
import { assessSignIn } from '#shared/domains/oauth/sign-in-requirement'
import { REQUEST_URI } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { signInPath } from '#shared/platform/http/pages/sign-in-path'
import { readVisit } from '#shared/platform/http/pages/visit'
import { requestedLanguage } from '#shared/platform/pages/hosted.tsx'
import type { User } from '#shared/platform/principals/principal'
import { applyAccessPolicy } from './access-policy.ts'
import { adoptClient, isUnadopted, validatedOrPending, whyUnadopted } from './admission.ts'
import { pickParameters, responsePlaceOf, type ValidatedRequest, validateAuthorizationRequest } from './authorization-request.ts'
import { findClientById, findClientWith } from './client-authentication.ts'
import { consentPage } from './consent.page.tsx'
import { knownTypes } from './detail-types.ts'
import type { Ctx } from './group.ts'
import { isSignedWithRetiredKey, readIdTokenHint } from './id-token-hint.ts'
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
import { isLoopback, isOwnCallback, isUnvettedWebAddress, redirectUriFor } from './redirect.ts'

const unknownClient = (clientId: string): AppError =>
  new AppError('invalid_request', clientId === '' ? 'client_id is missing.' : 'client_id names no active client.')

/** @throws AppError invalid_request_uri */
const storedRequest = async (ctx: Ctx, client: OauthClient, requestUri: string): Promise<StoredAuthorizationRequest> => {
  const handle = requestUri.startsWith(REQUEST_URI) ? readHandle(requestUri.slice(REQUEST_URI.length)) : undefined
  if (handle === undefined || handle.tenantId !== client.tenantId) throw new AppError('invalid_request_uri')
  const [t, now] = [forTenant(ctx.db, client.tenantId), ctx.clock.now()]
  const found = await findAuthorizationRequest(t, handle.hash, now, ['pushed', 'waiting'])
  if (found === undefined || found.clientId !== client.clientId) throw new AppError('invalid_request_uri')
  // RFC 9126 section 4: a pushed request is used once. If the person has to sign in, it is stored again under a new handle.
  if (found.kind === 'pushed' && (await atomically(t, (tx) => consumeAuthorizationRequest(tx, handle.hash, now, ['pushed']))) === undefined) {
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
  const found = await findClientWith(ctx, { clientId, resource, inTenant }, (t, of) => findClientAndConsent(t, { ...of, userId }))
  return { client: found?.client, states: found?.client.tenantId === tenantId ? found.beside : undefined }
}

/** Several companies have the resource on the loopback interface, so the person's sign-in decides which client is meant. @throws AppError */
const signInFirst = (principal: User | undefined, clientId: string): never => {
  throw principal === undefined ? new AppError('sign_in_required') : unknownClient(clientId)
}

/** @throws AppError invalid_request, invalid_request_uri: on a page */
const identifyRequest = async (ctx: Ctx, principal: User | undefined, query: Readonly<Record<string, string>>): Promise<AuthorizationRequest> => {
  const { client_id: clientId = '', request_uri: requestUri, resource } = query
  const isByAddress = /^https?:/.test(clientId) && requestUri === undefined
  const { registerMetadataClient } = isByAddress ? await import('./metadata-document.ts') : {}
  const metadataTenant = await registerMetadataClient?.(ctx, clientId, resource, principal?.tenantId)
  if (metadataTenant === 'several') return signInFirst(principal, clientId)
  const inTenant = requestUri === undefined ? metadataTenant : readHandle(requestUri.slice(REQUEST_URI.length))?.tenantId
  const { client: found, states } = await namedClient(ctx, principal, clientId, requestUri === undefined ? resource : undefined, inTenant)
  const adopted = found && (await adoptClient(ctx, found, resource, principal?.tenantId))
  if (adopted === 'several') return signInFirst(principal, clientId)
  if (adopted === undefined) throw unknownClient(clientId)
  if (isUnadopted(adopted)) throw new AppError('invalid_request', await whyUnadopted(ctx, resource))
  if (requestUri === undefined)
    return { client: adopted, parameters: pickParameters(query), stored: undefined, states: adopted === found ? states : undefined }
  const row = await storedRequest(ctx, adopted, requestUri)
  const parameters = pickParameters(row.parameters)
  const client = parameters.resource === undefined ? adopted : await findClientById(ctx, clientId, parameters.resource, inTenant)
  if (client === undefined) throw unknownClient(clientId)
  return { client, parameters, stored: row }
}

const storeForSignIn = async (ctx: Ctx, request: AuthorizationRequest): Promise<string> =>
  pendingRequestUrl(request.client, await storePendingRequest(ctx, request, null))

type Need =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'sign_in' }
  | { readonly kind: 'choose' }
  | { readonly kind: 'new_password' }
  | { readonly kind: 'confirm'; readonly query: Readonly<Record<string, string>> }

/** What sign-in the request still requires. @throws AppError unmet_authentication_requirements when a new sign-in was not strong enough */
export const requiredSignIn = (j: ValidatedRequest, principal: User | undefined, waitingSince: Date | undefined, now: Date): Need => {
  if (principal === undefined || principal.tenantId !== j.client.tenantId) return { kind: 'sign_in' }
  // A temporary password can only be changed; it must not sign the person in to a client.
  if (principal.passwordChangeRequired) return { kind: 'new_password' }
  const { isFresh, isStrong, isOld } = assessSignIn(j, principal, waitingSince, now)
  if (isFresh && !isStrong) throw new AppError('unmet_authentication_requirements')
  if (!isOld && isStrong) return { kind: 'nothing' }
  // OpenID Connect Core section 3.1.2.1: the person may choose another account than the one that is signed in.
  if (isOld && j.prompts.includes('select_account')) return { kind: 'choose' }
  return { kind: 'confirm', query: { ...(isOld ? { max_age: '0' } : {}), ...(isStrong ? {} : { acr_values: j.acrValues.join(' ') }) } }
}

/** An id_token_hint names the person who has to be signed in (section 3.1.2.1). @throws AppError invalid_request, login_required */
const requireHinted = async (ctx: Ctx, j: ValidatedRequest, principal: User | undefined): Promise<void> => {
  if (j.idTokenHint === undefined) return
  const hinted = await readIdTokenHint(ctx, j.idTokenHint)
  if (hinted === undefined && (await isSignedWithRetiredKey(ctx, j.idTokenHint))) {
    if (j.prompts.includes('none')) throw new AppError('login_required', 'id_token_hint is too old to name a person.')
    return
  }
  if (hinted?.audience !== j.client.publicId) throw new AppError('invalid_request', 'id_token_hint is not an ID token of this client.')
  if (principal !== undefined && principal.tenantId === j.client.tenantId && principal.userId !== hinted.userId) {
    throw new AppError('login_required', 'Another person is signed in than id_token_hint names.')
  }
}

const signInPage = (ctx: Ctx, j: ValidatedRequest, need: Need, returnTo: string): PageResult => {
  // A language that the person chose takes precedence over ui_locales.
  const requested = readVisit(ctx)?.lang === undefined ? requestedLanguage(j.uiLocales) : undefined
  const lang = requested === undefined ? {} : { lang: requested }
  if (need.kind === 'new_password') return redirectResult(ctx, `/me/password?${new URLSearchParams({ ...lang, return_to: returnTo })}`)
  if (need.kind === 'confirm') return redirectResult(ctx, `/confirm?${new URLSearchParams({ ...need.query, ...lang, return_to: returnTo })}`)
  const email = j.loginHint !== undefined && /^[^@\s]{1,64}@[^@\s]{1,255}$/.test(j.loginHint) ? j.loginHint : undefined
  const other = need.kind === 'choose' ? '1' : undefined
  const path = signInPath(ctx.request, { clientId: j.client.clientId, ...lang, other, returnTo })
  return redirectResult(ctx, path, email === undefined ? {} : { remember: { email } })
}

/**
 * A client that cannot prove its identity (a program on the person's device) needs consent every time (RFC 8252 section 8.6). So does a client that chose its
 * own name, and an MCP session, which another person may have started.
 */
const isUnproved = (ctx: Ctx, { client, redirectUri }: ValidatedRequest): boolean =>
  client.registeredBy !== 'administrator' ||
  isOwnCallback(ctx.config, redirectUri) ||
  (client.isPublic && (isLoopback(redirectUri) || !redirectUri.startsWith('https:')))

/** The scopes that the person holds and has consented to. The access policy of the resource server may assign a role first. */
const consentStateOf = async (
  ctx: Ctx,
  { client, states }: AuthorizationRequest,
  { resource }: ValidatedRequest,
  principal: User,
): Promise<ConsentState> => {
  const assignsRole = resource?.accessRoleId !== undefined
  if (assignsRole) await applyAccessPolicy(ctx, principal, resource.id, resource.accessRoleId)
  if (states !== undefined && !assignsRole) return resource === undefined ? states.ofIdentity : states.atServer
  const of = { userId: principal.userId, clientId: client.clientId, resourceServerId: resource?.id ?? null, now: ctx.clock.now() }
  return findConsentState(forTenant(ctx.db, client.tenantId), of)
}

const withPerson = async (ctx: Ctx, request: AuthorizationRequest, j: ValidatedRequest, principal: User | undefined): Promise<PageResult> => {
  const { client, stored } = request
  const types = await knownTypes(ctx, j)
  const isSilent = j.prompts.includes('none')
  await requireHinted(ctx, j, principal)
  const need = requiredSignIn(j, principal, stored?.kind === 'waiting' ? stored.createdAt : undefined, ctx.clock.now())
  if (principal === undefined || need.kind !== 'nothing') {
    if (isSilent) throw new AppError('login_required')
    // A new password is always set on our own page.
    if (client.registeredBy === 'administrator' && need.kind !== 'new_password') {
      const redirected = await (await import('./front-end.ts')).redirectToSignInPage(ctx, request)
      if (redirected !== undefined) return redirected
    }
    return signInPage(ctx, j, need, await storeForSignIn(ctx, request))
  }
  const state = await consentStateOf(ctx, request, j, principal)
  const scopes = grantableScopes(j, state)
  // Authorization details need consent every time.
  const isRemembered =
    j.details.length === 0 && scopes.every((scope) => state.granted.includes(scope)) && !j.prompts.includes('consent') && !isUnproved(ctx, j)
  if (isRemembered) return answerClient(ctx, j, { code: await issueCode(ctx, j, principal, scopes, types) })
  if (isSilent) throw new AppError('consent_required')
  // A client that cannot prove its identity is confirmed on our own page.
  if (!isUnproved(ctx, j)) {
    const redirected = await (await import('./front-end.ts')).redirectToConsentPage(ctx, {
      request: j,
      parameters: request.parameters,
      principal,
      scopes,
      types,
    })
    if (redirected !== undefined) return redirected
  }
  const mcp = isOwnCallback(ctx.config, j.redirectUri) ? await (await import('./mcp-consent.ts')).mcpConsentOf(ctx, j) : undefined
  // A pushed request_uri works once, but the page must survive a reload: redirect to a stored request first.
  if (stored?.kind === 'pushed') return redirectResult(ctx, await storeForSignIn(ctx, request))
  return consentPage(ctx, { request: j, parameters: request.parameters, principal, scopes, types, mcp })
}

/** Reports errors of the request to the person. @throws AppError invalid_request */
const toPerson = async (work: () => Promise<PageResult>): Promise<PageResult> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500 || error.status === 429) throw error
    throw new AppError('invalid_request', error.message, {}, error)
  }
}

const respond = async (ctx: Ctx, principal: User | undefined, query: Readonly<Record<string, string>>): Promise<PageResult> => {
  if (query.login_verifier !== undefined || query.consent_verifier !== undefined) {
    return (await import('./front-end.ts')).continueAuthorization(ctx, principal, query)
  }
  const request = await identifyRequest(ctx, principal, query)
  const { client, parameters, stored } = request
  const redirectUri = redirectUriFor(ctx.config, client, parameters.redirect_uri)
  // A stored request was either pushed, or validated before it was stored for the sign-in.
  const pushed = stored !== undefined
  const work = async (): Promise<PageResult> => {
    const validated = await validatedOrPending(ctx, client, parameters.resource, () =>
      validateAuthorizationRequest({ client, parameters, pushed }, redirectUri),
    )
    return withPerson(ctx, request, validated, principal)
  }
  const isUntrustedRedirect = principal?.tenantId !== client.tenantId && isUnvettedWebAddress(client, redirectUri)
  return isUntrustedRedirect ? toPerson(work) : reportToClient(ctx, responsePlaceOf(client, parameters, redirectUri), work)
}

/** @throws AppError invalid_request, invalid_request_uri, login_challenge_invalid, consent_challenge_invalid: on a page */
export const authorize = async (ctx: Ctx, principal: User | undefined, query: Readonly<Record<string, string>>): Promise<PageResult> => {
  try {
    return await respond(ctx, principal, query)
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500 || error.status === 429) throw error
    const { client_id, redirect_uri, resource } = query
    throw new AppError(error.code, error.message, { ...error.details, named: { client_id, redirect_uri, resource } }, error.cause)
  }
}
