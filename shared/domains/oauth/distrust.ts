// Which events of the record take trust from tokens, and how a verifier finds out whether one of its tokens is meant. What it is told are digests: whoever has
// a token with an id in it recognises the id, and nobody learns anything of the others. Pure; shared by the server that tells and by whoever checks.
import { createHash } from 'node:crypto'
import type { AuditEvent } from '#shared/platform/audit/events'
import { type Claims, type DistrustKind, disclosedId, idsIn, isMeant } from './distrust-ids.ts'

export type { DistrustKind } from './distrust-ids.ts'

/** What an event is about says what is not trusted any more: its target, whoever did it, or everything of the tenant. */
export const DISTRUSTING: Readonly<Partial<Record<AuditEvent, 'target' | 'actor' | 'tenant'>>> = {
  'token.revoked': 'target',
  'oauth.authorization_revoked': 'target',
  'oauth.grant_revoked': 'actor',
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
  // Whoever proves the address of an account that somebody else made takes it over.
  'user.email_verified': 'target',
  // With the first factor, and with one that goes, all other sessions of whoever did it end; so they do with a provider that is unlinked.
  'factor.added': 'actor',
  'factor.removed': 'actor',
  'identity.unlinked': 'actor',
  'factors.reset': 'target',
  'recovery.completed': 'target',
  'client.deactivated': 'target',
  'client.updated': 'target',
  'client.deleted': 'tenant',
  // The sessions that began at its door end, whichever client's tokens hang below them.
  'client.removed': 'tenant',
  'client.unregistered': 'target',
  // Others acted on what such a client passed on, and nothing is left that would say who.
  'oauth.chain_ended': 'tenant',
  'client.registration_changed': 'target',
  'agent.suspended': 'target',
  'agent.retired': 'target',
  'agent.updated': 'target',
  'trusted_issuer.updated': 'tenant',
  'trusted_issuer.deleted': 'tenant',
  'delegation_policy.updated': 'tenant',
  'delegation_policy.deleted': 'tenant',
  'resource_server.updated': 'tenant',
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

/** What an event says is not trusted any more. One that is about something that is not known here means everything: who checks asks once too often. */
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

/** Everything that a token hangs below and tells. */
export const digestsOf = (claims: Claims): readonly string[] => idsIn(claims).map(([kind, id]) => distrustDigest(kind, id))

/** Whether a token is meant by what was told: then it is asked about, or refused. */
export const isDistrusted = (revoked: ReadonlyMap<string, number>, claims: Claims): boolean => isMeant(revoked, digestsOf(claims), claims.iat)
