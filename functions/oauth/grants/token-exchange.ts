// Token exchange (RFC 8693): for an agent that acts for the subject, or for the holder to narrow its own token. The new token depends on the subject token.

import { forTenant, type TenantDb } from '#db/engine/tenant'
import { findDelegationBounds } from '#db/store/oauth-delegations'
import { findBudgets, findDetailTypes } from '#db/store/oauth-details'
import { parseDetails } from '#shared/domains/oauth/details'
import { TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { validateDetails } from '#shared/domains/oauth/validate-details'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'
import { narrow, type RequestedExchange } from '../exchange/narrow.ts'
import { issueDelegatedToken } from '../exchange/step.ts'
import { readSubject, type Subject, validateActorToken } from '../exchange/subject.ts'
import type { Ctx } from '../group.ts'
import { canonicalResource, parseScopes } from '../scopes.ts'
import type { Grant, TokenRequest } from '../token-request.ts'

const NO_BOUNDS = { depth: undefined, policies: [] }

/** @throws AppError invalid_request, invalid_scope, invalid_authorization_details */
const wantedIn = (ctx: Ctx, { form, jkt }: TokenRequest): RequestedExchange => {
  const { impersonation, requested_actor: requestedActor } = form
  if (impersonation !== undefined && impersonation !== 'true') throw new AppError('invalid_request', 'impersonation is true, or left out.')
  if (requestedActor !== undefined && !isUuid(requestedActor)) throw new AppError('invalid_request', 'requested_actor is the id of an agent.')
  return {
    scopes: parseScopes(form.scope),
    details: parseDetails(form.authorization_details),
    impersonation: impersonation === 'true',
    requestedActor,
    jkt,
    now: ctx.clock.now(),
  }
}

/** The resource server of the request, which must be the audience of the subject token. @throws AppError invalid_target */
const targetOf = ({ client, form }: TokenRequest, subject: Subject) => {
  const named = [form.resource, form.audience].filter((name) => name !== undefined)
  const { resource } = client
  if (resource === undefined || subject.audience === undefined || resource.resource !== subject.audience) {
    throw new AppError('invalid_target', 'The client is not registered at the resource server that the subject_token is for.')
  }
  if (named.some((name) => canonicalResource(name) !== subject.audience))
    throw new AppError('invalid_target', 'The subject_token is for another audience.')
  return resource
}

const boundsFor = (ctx: Ctx, t: TenantDb, { client }: TokenRequest, subject: Subject) => {
  if (subject.clientId === client.clientId || client.agent === undefined) return NO_BOUNDS
  const id = subject.userId ?? subject.serviceAccountId
  if (id === undefined) return NO_BOUNDS
  const kind = subject.userId === undefined ? 'serviceAccount' : 'user'
  return findDelegationBounds(t, { agentId: client.clientId, subject: { kind, id }, now: ctx.clock.now() })
}

/** Reads the types where the request or the subject has details. @throws AppError invalid_authorization_details */
const typesFor = async (t: TenantDb, subject: Subject, wanted: RequestedExchange) => {
  const names = [...subject.details, ...(wanted.details ?? [])].map(({ type }) => type)
  const types = await findDetailTypes(t, names)
  if (wanted.details !== undefined) validateDetails(wanted.details, types, subject.resourceServerId)
  return types
}

const toAccessToken: Grant = async (ctx, request) => {
  const { client, form, jkt } = request
  const wanted = wantedIn(ctx, request)
  const t = forTenant(ctx.db, client.tenantId)
  const subject = await readSubject(ctx, t, request)
  await validateActorToken(ctx, t, request)
  const resource = targetOf(request, subject)
  const types = await typesFor(t, subject, wanted)
  const narrowed = narrow(client, resource, subject, await boundsFor(ctx, t, request, subject), types, wanted)
  if (narrowed.ttlSeconds <= 0) throw new AppError('invalid_request', 'The subject_token is about to expire.')
  const parents = narrowed.details.length === 0 || subject.holderId === undefined ? [] : await findBudgets(t, subject.holderId)
  const tokens = await issueDelegatedToken(ctx, request, { subject, narrowed, resource, types, parents, event: 'oauth.token_exchanged', jkt })
  return { ...tokens, issued_token_type: form.requested_token_type ?? TOKEN_TYPES.access }
}

/** @throws AppError invalid_request, invalid_scope, invalid_target, invalid_authorization_details, invalid_dpop_proof, unauthorized_client */
export const tokenExchange: Grant = async (ctx, request) => {
  const { client, form } = request
  if (client.isPublic) throw new AppError('unauthorized_client', 'A public client cannot exchange tokens.')
  const wanted = form.requested_token_type
  if (wanted === undefined || wanted === TOKEN_TYPES.access || wanted === TOKEN_TYPES.jwt) return toAccessToken(ctx, request)
  if (wanted === TOKEN_TYPES.idJag) return (await import('../exchange/identity-assertion.ts')).assertIdentity(ctx, request)
  throw new AppError('invalid_request', 'This requested_token_type is not offered.')
}
