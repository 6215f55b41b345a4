// Which audit events revoke trust in tokens, and how a verifier finds out whether one of its tokens is affected. The feed contains digests: a verifier that has
// a token with an id recognises it, and learns nothing about other tokens. Pure; used by the server and by verifiers.
import { createHash } from 'node:crypto'
import type { AuditEvent } from '#shared/platform/audit/events'
import { type Claims, type DistrustKind, disclosedId, idsIn, isMeant } from './distrust-ids.ts'

export type { DistrustKind } from './distrust-ids.ts'

/** The part of an event that names what is no longer trusted: its target, its actor, or the whole tenant. */
export const DISTRUSTING: Readonly<Partial<Record<AuditEvent, 'target' | 'actor' | 'tenant'>>> = {
  'token.revoked': 'target',
  'oauth.authorization_revoked': 'target',
  'oauth.grant_revoked': 'actor',
  'oauth.consent_revoked': 'target',
  'session.revoked': 'target',
  'sessions.revoked': 'target',
  'user.signed_out': 'target',
  'user.disabled': 'target',
  'user.deactivated': 'target',
  'user.deleted': 'target',
  'user.erased': 'target',
  'user.updated': 'target',
  'user.email_changed': 'target',
  'user.password_changed': 'target',
  'user.password_set': 'target',
  'user.password_reset': 'target',
  // Proving the address of an account that another person created takes it over.
  'user.email_verified': 'target',
  // Adding the first factor, removing one, or unlinking a provider ends all other sessions of the actor.
  'factor.added': 'actor',
  'factor.removed': 'actor',
  'identity.unlinked': 'actor',
  'factors.reset': 'target',
  'recovery.completed': 'target',
  'client.deactivated': 'target',
  'client.updated': 'target',
  'client.deleted': 'tenant',
  // Ends the sessions that began through it, and so the tokens of every client below them.
  'client.removed': 'tenant',
  'client.unregistered': 'target',
  // Other principals acted on tokens that such a client passed on, and no record identifies them.
  'oauth.chain_ended': 'tenant',
  'client.registration_changed': 'target',
  // Of the ended authorizations nothing is left to find the delegation steps below them by.
  'client.consents_ended': 'tenant',
  'agent.suspended': 'target',
  'agent.retired': 'target',
  'agent.updated': 'target',
  'trusted_issuer.updated': 'tenant',
  'trusted_issuer.deleted': 'tenant',
  'delegation_policy.updated': 'tenant',
  'delegation_policy.deleted': 'tenant',
  'resource_server.updated': 'tenant',
  'resource_servers.released': 'tenant',
  'resource_server.client_removed': 'tenant',
  'role_binding.revoked': 'tenant',
  'role.updated': 'tenant',
  'role.deleted': 'tenant',
  'permission.deleted': 'tenant',
  'group.deleted': 'tenant',
  'group.members_removed': 'tenant',
  'tenant.updated': 'tenant',
  'tenant.deletion_scheduled': 'tenant',
}

const OF_TARGET: Readonly<Record<string, DistrustKind>> = {
  user: 'user',
  client: 'client',
  agent: 'client',
  session: 'session',
  authorization: 'authorization',
  token: 'token',
}

export type DistrustEvent = {
  readonly event: string
  readonly actorId: string | null
  readonly targetType: string | null
  readonly targetId: string | null
  readonly at: Date
}
export type Distrusted = { readonly kind: DistrustKind; readonly id: string; readonly at: Date }

/**
 * What an event revokes. An event with an unknown kind of target revokes everything, so that a verifier introspects once too often rather than too seldom.
 */
export const distrustOf = (tenantId: string, happened: DistrustEvent): Distrusted => {
  const { event, actorId, targetType, targetId, at } = happened
  const about = DISTRUSTING[event as AuditEvent]
  const kind = OF_TARGET[targetType ?? '']
  if (about === 'actor' && actorId !== null) return { kind: 'user', id: actorId, at }
  if (about === 'target' && kind !== undefined && targetId !== null) return { kind, id: targetId, at }
  return { kind: 'tenant', id: tenantId, at }
}

export const distrustDigest = (kind: DistrustKind, id: string): string =>
  disclosedId(createHash('sha256').update(`${kind} ${id}`).digest('base64url'))

/** All ids in a token's claims on which it depends. */
export const digestsOf = (claims: Claims): readonly string[] => idsIn(claims).map(([kind, id]) => distrustDigest(kind, id))

/** Whether the feed affects a token; the verifier then introspects or refuses it. */
export const isDistrusted = (revoked: ReadonlyMap<string, number>, claims: Claims): boolean => isMeant(revoked, digestsOf(claims), claims.iat)
