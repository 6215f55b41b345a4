// Issues an identity assertion (draft-ietf-oauth-identity-assertion-authz-grant) for another authorization server. It names the person, the client that may
// request a token there on the person's behalf, and the scopes at most.
import { SignJWT } from 'jose'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { findDelegationBounds, lockPolicyVersions, type PolicyVersion } from '#db/store/oauth-delegations'
import { findIssuerByName } from '#db/store/oauth-issuers'
import { TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { ID_JAG_TYP } from '../grants/jwt-bearer.ts'
import type { Ctx } from '../group.ts'
import { parseScopes } from '../scopes.ts'
import type { TokenRequest } from '../token-request.ts'
import type { TokenSet } from '../token-set.ts'
import { policiesFor } from './narrow.ts'
import { actorOf, policyChanged } from './step.ts'
import { readSubject, type Subject, unacceptable, validateActorToken } from './subject.ts'

const ASSERTION_SECONDS = 300

/** @throws AppError invalid_target unless the tenant configured the server and the client's id there */
const audienceFor = async (ctx: Ctx, { form, client }: TokenRequest) => {
  if (form.audience === undefined) throw new AppError('invalid_request', 'audience is missing: the issuer that the assertion is for.')
  const issuer = await findIssuerByName(forTenant(ctx.db, client.tenantId), form.audience)
  const clientId = issuer?.clientIds[client.clientId]
  if (issuer?.sends !== true || clientId === undefined) throw new AppError('invalid_target', 'This client cannot request assertions for that server.')
  return { issuer, clientId }
}

type Bound = {
  readonly may: (scope: string) => boolean
  readonly ttlSeconds: number
  readonly isBound: boolean
  readonly policies: readonly PolicyVersion[]
}
const UNBOUND: Bound = { may: () => true, ttlSeconds: ASSERTION_SECONDS, isBound: false, policies: [] }

/** A delegated agent gets an assertion only within the policies that let it act for the person at that server. @throws AppError invalid_request */
const boundFor = async (ctx: Ctx, t: TenantDb, { client }: TokenRequest, subject: Subject, issuer: string): Promise<Bound> => {
  if (client.agent === undefined || subject.path.length === 0 || subject.userId === undefined) return UNBOUND
  const bounds = await findDelegationBounds(t, { agentId: client.clientId, subject: { kind: 'user', id: subject.userId }, now: ctx.clock.now() })
  const policies = policiesFor(bounds, issuer)
  return {
    may: (scope) => policies.some(({ allowed_permissions: allowed }) => allowed.includes(scope)),
    ttlSeconds: Math.min(ASSERTION_SECONDS, ...policies.map(({ max_ttl_seconds: seconds }) => seconds)),
    isBound: true,
    policies,
  }
}

/** A server may read an assertion without scopes as one for all scopes, so a bounded one names them. @throws AppError invalid_scope */
const assertedScopes = (requested: readonly string[], sent: readonly string[], { may, isBound }: Bound): readonly string[] => {
  const wider = requested.find((scope) => !(sent.includes(scope) && may(scope)))
  if (wider !== undefined) throw new AppError('invalid_scope', `The scope ${wider.slice(0, 100)} is not asserted for that server.`)
  if (requested.length > 0 || !isBound) return requested
  const all = sent.filter(may)
  if (all.length === 0) throw new AppError('invalid_scope', 'No scope can be asserted for that server.')
  return all
}

/** @throws AppError invalid_request, invalid_scope, invalid_target, invalid_authorization_details, invalid_dpop_proof */
export const assertIdentity = async (ctx: Ctx, request: TokenRequest): Promise<TokenSet> => {
  const { form, client, jkt } = request
  const t = forTenant(ctx.db, client.tenantId)
  if (form.authorization_details !== undefined)
    throw new AppError('invalid_authorization_details', 'authorization_details of another server are not supported.')
  const wanted = parseScopes(form.scope)
  const { issuer, clientId } = await audienceFor(ctx, request)
  const subject = await readSubject(ctx, t, request)
  await validateActorToken(ctx, t, request)
  if (subject.clientId !== client.clientId || subject.userId === undefined) throw unacceptable('subject_token', 'is not of this client for a person.')
  if (subject.jkt !== undefined && subject.jkt !== jkt) throw new AppError('invalid_dpop_proof', 'The subject_token is bound to another key.')
  const bound = await boundFor(ctx, t, request, subject, issuer.issuer)
  const scopes = assertedScopes(wanted, issuer.sentScopes, bound)
  const now = ctx.clock.now()
  const iat = unixSeconds(now)
  const exp = Math.min(iat + bound.ttlSeconds, unixSeconds(subject.expiresAt))
  const jti = ctx.random.id()
  await atomically(t, async (tx) => {
    if (bound.isBound && !(await lockPolicyVersions(tx, bound.policies))) throw policyChanged()
    await recordEvent(tx, ctx, {
      event: 'oauth.identity_asserted',
      actor: actorOf(request, subject.userId),
      target: { type: 'trusted_issuer', id: issuer.id },
      after: { audience: issuer.issuer, client_id: clientId, scopes, jti, resource: form.resource ?? null },
    })
  })
  const { kid, key } = await ctx.signingKeys.signer('RS256')
  const claims = {
    iss: ctx.config.BASE_URL,
    sub: subject.sub,
    aud: issuer.issuer,
    client_id: clientId,
    // One issuer asserts for many companies, so the assertion names the tenant.
    tenant: client.tenantId,
    jti,
    iat,
    exp,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(form.resource === undefined ? {} : { resource: form.resource }),
    ...(subject.act === undefined ? {} : { act: subject.act }),
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
    ...(subject.authentication === undefined
      ? {}
      : { auth_time: unixSeconds(subject.authentication.authTime), acr: subject.authentication.acr, amr: subject.authentication.amr }),
  }
  const assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: ID_JAG_TYP }).sign(key)
  return {
    access_token: assertion,
    issued_token_type: TOKEN_TYPES.idJag,
    token_type: 'N_A',
    expires_in: exp - iat,
    scope: scopes.join(' '),
  }
}
