// Redeems an assertion of a trusted issuer for a token, once (RFC 7523 section 2.1), including identity assertions
// (draft-ietf-oauth-identity-assertion-authz-grant). The subject is looked up by the mapping that the tenant configured, never by an email address.

import { decodeProtectedHeader } from 'jose'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { findIdentity } from '#db/store/identities'
import { consumeIdOnce, findConsentState } from '#db/store/oauth-authorizations'
import type { RequestedResource } from '#db/store/oauth-clients'
import { type Act, findDelegationBounds } from '#db/store/oauth-delegations'
import { findDetailTypes } from '#db/store/oauth-details'
import { findIssuerByName, findUserIdByExternalId, type TrustedIssuer } from '#db/store/oauth-issuers'
import { mayHold } from '#db/store/rights'
import { findUser } from '#db/store/users'
import { type Details, detailsIn, parseDetails } from '#shared/domains/oauth/details'
import { keysOfIssuer } from '#shared/domains/oauth/issuer-keys'
import { DEFAULT_DEPTH } from '#shared/domains/oauth/supported'
import { validateDetails } from '#shared/domains/oauth/validate-details'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'
import { sha256 } from '#shared/platform/crypto/sha256'
import { MAX_TOKEN_LENGTH } from '#shared/platform/tokens/strict-jws'
import { unverifiedClaims } from '#shared/platform/tokens/unverified-claims'
import { type Claims, isInTime, verifyClientAssertion } from '../client-assertion.ts'
import { narrow } from '../exchange/narrow.ts'
import { issueDelegatedToken } from '../exchange/step.ts'
import { depthOf, type Subject } from '../exchange/subject.ts'
import type { Ctx } from '../group.ts'
import { canonicalResource, parseScopes } from '../scopes.ts'
import type { Grant, TokenRequest } from '../token-request.ts'

export const ID_JAG_TYP = 'oauth-id-jag+jwt'
const SKEW_SECONDS = 60
const MAX_ACTORS = 16

const refused = (why = 'The assertion is invalid, expired, used, or from an issuer that is not trusted.'): AppError =>
  new AppError('invalid_grant', why)
const isText = (value: unknown, longest = 2048): value is string => typeof value === 'string' && value !== '' && value.length <= longest

type Assertion = { readonly claims: Claims; readonly issuer: TrustedIssuer; readonly jti: string; readonly exp: number; readonly isIdentity: boolean }

const headerOf = (assertion: string): { readonly typ: unknown; readonly kid: unknown } => {
  try {
    const { typ, kid } = decodeProtectedHeader(assertion)
    return { typ, kid }
  } catch {
    throw refused()
  }
}

/** Checks in the order of RFC 7523 section 3. @throws AppError invalid_grant */
const readAssertion = async (ctx: Ctx, t: TenantDb, { client }: TokenRequest, assertion: string): Promise<Assertion> => {
  if (assertion.length > MAX_TOKEN_LENGTH) throw refused()
  const name = unverifiedClaims(assertion).iss
  // Assertions of this service are for other servers: accepting them here would let one tenant assert people to another.
  const issuer = isText(name) && name !== ctx.config.BASE_URL ? await findIssuerByName(t, name) : undefined
  const { typ, kid } = headerOf(assertion)
  const isIdentity = typ === ID_JAG_TYP
  const isPlain = typ === undefined || (typeof typ === 'string' && /^jwt$/i.test(typ))
  if (issuer === undefined || !(isIdentity ? issuer.acceptsIdentity : isPlain && issuer.acceptsJwt)) throw refused()
  const claims = await verifyClientAssertion(await keysOfIssuer(ctx, issuer, kid), assertion, (value) => value === typ)
  if (claims === undefined || claims.iss !== issuer.issuer || claims.aud !== ctx.config.BASE_URL) throw refused()
  const { jti, exp, client_id: named } = claims
  if (!isText(claims.sub, 512) || !isText(jti, 256) || !isInTime(claims, unixSeconds(ctx.clock.now()))) throw refused()
  if (isIdentity ? named !== client.clientId : named !== undefined && named !== client.clientId) throw refused('The assertion is for another client.')
  return { claims, issuer, jti, exp: exp as number, isIdentity }
}

/** An assertion with `cnf` is accepted only with a proof of its key (RFC 7800). @throws AppError invalid_grant */
const requireBinding = ({ cnf }: Claims, jkt: string | undefined): void => {
  if (cnf === undefined) return
  const bound = typeof cnf === 'object' && cnf !== null && Object.keys(cnf).length === 1 ? (cnf as Claims).jkt : undefined
  if (!isText(bound) || bound !== jkt) throw refused('The assertion is bound to a key that the request does not prove.')
}

const userIdOf = async (t: TenantDb, { issuer, claims }: Assertion): Promise<string | undefined> => {
  const sub = claims.sub as string
  if (issuer.subjectMapping === 'identity') return (await findIdentity(t, issuer.issuer, sub))?.userId
  if (issuer.subjectMapping === 'external_id') return findUserIdByExternalId(t, sub)
  return isUuid(sub) ? sub : undefined
}

/**
 * User ids are widely known and prove no linked account, so an issuer that names people by user id can never name an administrator. The error is the same as
 * for an unknown person.
 * @throws AppError invalid_grant
 */
const personOf = async (ctx: Pick<Ctx, 'clock'>, t: TenantDb, assertion: Assertion): Promise<string> => {
  const id = await userIdOf(t, assertion)
  const user = id === undefined ? undefined : await findUser(t, id)
  const isProtected = async (userId: string): Promise<boolean> =>
    assertion.issuer.subjectMapping === 'user_id' && mayHold(t, userId, 'admin:access', ctx.clock.now())
  if (user?.active !== true || user.deletedAt !== null || (await isProtected(user.id))) throw refused('The assertion names an unknown person.')
  return user.id
}

/** The earlier actors, as the issuer states them. @throws AppError invalid_grant */
const actIn = (value: unknown, issuer: string, left = MAX_ACTORS): Act | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || left === 0) throw refused()
  const { sub, iss, act } = value as Claims
  if (!isText(sub, 512) || (iss !== undefined && !isText(iss))) throw refused()
  const before = actIn(act, issuer, left - 1)
  return { sub, iss: iss ?? issuer, ...(before === undefined ? {} : { act: before }) }
}

/** @throws AppError invalid_target */
const targetOf = ({ client, form }: TokenRequest, { claims }: Assertion): RequestedResource => {
  const { resource } = client
  const isNamed = form.resource !== undefined || claims.resource !== undefined || resource?.candidates === 1
  if (resource === undefined || !isNamed) throw new AppError('invalid_target')
  if (claims.resource !== undefined && (typeof claims.resource !== 'string' || canonicalResource(claims.resource) !== resource.resource))
    throw new AppError('invalid_target', 'The assertion is for another resource.')
  return resource
}

/** The scopes that the person holds, limited by the assertion and by the registration of its issuer. */
const scopesOf = ({ claims, issuer }: Assertion, held: readonly string[]): readonly string[] => {
  if (claims.scope !== undefined && typeof claims.scope !== 'string') throw refused()
  const asserted = claims.scope?.split(' ')
  return held.filter((scope) => (asserted?.includes(scope) ?? true) && (issuer.scopes?.includes(scope) ?? true))
}

/** The assertion as the subject of a delegation step. For an agent the tenant's policies apply; any other client counts as the holder, so no actor is added. */
const subjectOf = (
  ctx: Ctx,
  { client }: TokenRequest,
  a: Assertion,
  userId: string,
  resource: RequestedResource,
  scopes: readonly string[],
  details: Details,
): Subject => {
  const now = ctx.clock.now()
  const act = actIn(a.claims.act, a.issuer.issuer)
  return {
    sub: userId,
    clientId: client.agent === undefined ? client.clientId : a.issuer.id,
    userId,
    serviceAccountId: undefined,
    tokenId: undefined,
    expiresAt: secondsAfter(now, resource.tokenSeconds),
    audience: resource.resource,
    resourceServerId: resource.id,
    scopes,
    details,
    act,
    depth: depthOf(act),
    jkt: undefined,
    mayAct: undefined,
    authentication: undefined,
    path: [],
    holderId: undefined,
    root: { authorizationId: null, rootClientId: null, issuerId: a.issuer.id, rootMadeAt: now },
  }
}

/** Maps invalid_request of the exchange rules to invalid_grant (RFC 7521 section 4.1.1). */
const asGrant = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_request') throw refused(error.message)
    throw error
  }
}

/** @throws AppError invalid_request, invalid_grant, invalid_scope, invalid_target, invalid_authorization_details, unauthorized_client */
export const jwtBearer: Grant = async (ctx, request) => {
  const { client, form, jkt } = request
  if (client.isPublic) throw new AppError('unauthorized_client', 'A public client cannot use assertions.')
  if (form.assertion === undefined) throw new AppError('invalid_request', 'assertion is missing.')
  const t = forTenant(ctx.db, client.tenantId)
  const wanted = { scopes: parseScopes(form.scope), details: parseDetails(form.authorization_details) }
  const assertion = await readAssertion(ctx, t, request, form.assertion)
  requireBinding(assertion.claims, jkt)
  const resource = targetOf(request, assertion)
  const userId = await personOf(ctx, t, assertion)
  const now = ctx.clock.now()
  const { held } = await findConsentState(t, { userId, clientId: client.clientId, resourceServerId: resource.id, now })
  const asserted = assertion.claims.authorization_details === undefined ? [] : detailsIn(assertion.claims.authorization_details)
  const types = await findDetailTypes(
    t,
    [...asserted, ...(wanted.details ?? [])].map(({ type }) => type),
  )
  validateDetails([...asserted, ...(wanted.details ?? [])], types, resource.id)
  const bounds = await findDelegationBounds(t, { agentId: client.clientId, subject: { kind: 'user', id: userId }, now })
  const subject = subjectOf(ctx, request, assertion, userId, resource, scopesOf(assertion, held), asserted)
  if (subject.depth > (bounds.depth ?? DEFAULT_DEPTH)) throw refused('The chain of actors is too long.')
  const narrowed = asGrant(() =>
    narrow(client, resource, subject, bounds, types, { ...wanted, impersonation: false, requestedActor: undefined, jkt, now }),
  )
  const once = sha256(`assertion ${assertion.issuer.id} ${assertion.jti}`)
  return issueDelegatedToken(ctx, request, {
    subject,
    narrowed,
    resource,
    types,
    parents: [],
    event: 'oauth.assertion_redeemed',
    jkt,
    also: async (tx) => {
      if (!(await consumeIdOnce(tx, once, new Date((assertion.exp + 2 * SKEW_SECONDS) * 1000)))) throw refused('The assertion was used already.')
    },
  })
}
