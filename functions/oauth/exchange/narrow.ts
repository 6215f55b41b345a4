// What a token may be exchanged for: never more scopes, another audience, wider details or a longer life; at most one more actor. Pure.

import type { OauthClient, RequestedResource } from '#db/store/oauth-clients'
import type { Act, BoundingPolicy, DelegationBounds, PolicyVersion } from '#db/store/oauth-delegations'
import type { AuthorizationDetail, DetailType } from '#db/store/oauth-details'
import { type Details, narrowedDetails } from '#shared/domains/oauth/details'
import { DEFAULT_DEPTH } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { mayRequest } from '../scopes.ts'
import { actOf } from '../token-set.ts'
import type { Subject } from './subject.ts'

export type RequestedExchange = {
  readonly scopes: readonly string[]
  readonly details: Details | undefined
  readonly impersonation: boolean
  /** The only client that may act for the token next (`may_act`). */
  readonly requestedActor: string | undefined
  readonly jkt: string | undefined
  readonly now: Date
}
export type Narrowed = {
  readonly scopes: readonly string[]
  readonly details: readonly { readonly detail: AuthorizationDetail; readonly of: AuthorizationDetail }[]
  readonly act: Act | undefined
  readonly depth: number
  readonly mayAct: string | undefined
  readonly ttlSeconds: number
  /** The policies that allowed the exchange, in the version that was read. */
  readonly policies: readonly PolicyVersion[]
}

const refused = (why: string): AppError => new AppError('invalid_request', why)

/** The name of a scope in policies: its permission, or else its own name. */
const permissionOf = (resource: RequestedResource, name: string): string => resource.scopes.find((scope) => scope.name === name)?.permission ?? name

/** @throws AppError invalid_request where no policy allows this agent to act there */
export const policiesFor = ({ policies }: DelegationBounds, audienceName: string): readonly BoundingPolicy[] => {
  const applicable = policies.filter(({ audience }) => audience.length === 0 || audience.includes(audienceName))
  if (applicable.length === 0) throw refused('No delegation policy lets this agent act for the subject.')
  return applicable
}

const boundingPolicies = (bounds: DelegationBounds, resource: RequestedResource, wanted: RequestedExchange): readonly BoundingPolicy[] => {
  const applicable = policiesFor(bounds, resource.resource)
  const fitting = wanted.impersonation ? applicable.filter(({ impersonation }) => impersonation) : applicable
  if (fitting.length === 0) throw refused('No delegation policy allows impersonation.')
  return fitting
}

/** A token that is bound to a key stays bound, to the same key unless its holder named the next actor. */
const requireBinding = (client: OauthClient, subject: Subject, { jkt }: RequestedExchange): void => {
  if (subject.jkt === undefined) return
  if (jkt === undefined) throw new AppError('invalid_dpop_proof', 'The subject_token is bound to a key, so a proof is needed.')
  if (jkt !== subject.jkt && subject.mayAct !== client.clientId) throw refused('The subject_token is bound to another key.')
}

type Chain = Pick<Narrowed, 'act' | 'depth' | 'mayAct'> & { readonly policies: readonly BoundingPolicy[] | undefined }

/** The holder narrows its own token; no actor is added. */
const sameHolder = (subject: Subject, { impersonation, requestedActor }: RequestedExchange): Chain => {
  if (impersonation) throw refused('A client cannot impersonate with its own token.')
  if (subject.mayAct !== undefined && requestedActor !== undefined && requestedActor !== subject.mayAct)
    throw refused('The subject_token names another actor (may_act).')
  return { act: subject.act, depth: subject.depth, mayAct: requestedActor ?? subject.mayAct, policies: undefined }
}

/** Adds the agent as an actor to the chain, where policies allow it. */
const nextActor = (
  client: OauthClient,
  resource: RequestedResource,
  subject: Subject,
  bounds: DelegationBounds,
  wanted: RequestedExchange,
): Chain => {
  if (client.agent === undefined) throw refused('Only an agent can act for another subject.')
  if (subject.mayAct !== undefined && subject.mayAct !== client.clientId) throw refused('The subject_token names another actor (may_act).')
  const policies = boundingPolicies(bounds, resource, wanted)
  const depth = subject.depth + 1
  if (depth > (bounds.depth ?? DEFAULT_DEPTH)) throw refused('The chain of actors is too long.')
  return { act: wanted.impersonation ? subject.act : actOf(client.clientId, subject.act), depth, mayAct: wanted.requestedActor, policies }
}

const narrowedScopes = (
  client: OauthClient,
  resource: RequestedResource,
  subject: Subject,
  policies: readonly BoundingPolicy[] | undefined,
  requested: readonly string[],
): readonly string[] => {
  const allowed = policies === undefined ? undefined : new Set(policies.flatMap(({ allowed_permissions }) => allowed_permissions))
  const may = (scope: string): boolean =>
    subject.scopes.includes(scope) && mayRequest(client, scope) && (allowed === undefined || allowed.has(permissionOf(resource, scope)))
  const wider = requested.find((scope) => !may(scope))
  if (wider !== undefined) throw new AppError('invalid_scope', `The scope ${wider.slice(0, 100)} may not be had by this token.`)
  return requested.length > 0 ? requested : subject.scopes.filter(may)
}

const secondsLeft = ({ expiresAt }: Subject, now: Date): number => Math.floor(expiresAt.getTime() / 1000) - Math.floor(now.getTime() / 1000)

/** @throws AppError invalid_request, invalid_scope, invalid_authorization_details, invalid_dpop_proof */
export const narrow = (
  client: OauthClient,
  resource: RequestedResource,
  subject: Subject,
  bounds: DelegationBounds,
  types: readonly DetailType[],
  wanted: RequestedExchange,
): Narrowed => {
  requireBinding(client, subject, wanted)
  const isSame = subject.clientId === client.clientId
  const { policies, ...chain } = isSame ? sameHolder(subject, wanted) : nextActor(client, resource, subject, bounds, wanted)
  const details = narrowedDetails(wanted.details ?? subject.details, subject.details, types)
  const scopes = narrowedScopes(client, resource, subject, policies, wanted.scopes)
  if (scopes.length === 0 && details.length === 0) throw new AppError('invalid_scope', 'None of the scopes of the subject_token can be granted.')
  const longest = (policies ?? []).map(({ max_ttl_seconds: seconds }) => seconds)
  return {
    ...chain,
    scopes,
    details,
    ttlSeconds: Math.min(resource.tokenSeconds, secondsLeft(subject, wanted.now), ...longest),
    policies: policies ?? [],
  }
}
