// The committed form of an audit event. Each row has one canonical text, whose hash is a leaf of the tenant's Merkle tree, and a MAC of that hash: between the write
// and the next checkpoint only this deployment can make or change a row. Personal data enters as a salted digest, so an erased person leaves every proof valid.
import type { AuditRow } from '#db/store/audit-events'
import { canonicalJson } from '#shared/kernel/canonical-json'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { KeyedHash } from '#shared/platform/crypto/keyed-hash'
import { sha256 } from '#shared/platform/crypto/sha256'

export type EntryColumns = Omit<AuditRow, 'tenantId' | 'sealed' | 'chainHash' | 'mac'>

const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'))

/**
 * The canonical text (RFC 8785) of a row's clear columns. `v` is 1 for rows with a MAC and 0 for rows of releases before it, whose `details` is a digest of the sealed
 * bytes.
 */
export const entryText = (tenantId: string, row: EntryColumns, v: 0 | 1): string =>
  // The members are in canonical order and are strings, integers and null, so that JSON.stringify gives the canonical text.
  JSON.stringify({
    actor_id: row.actorId,
    actor_type: row.actorType,
    at: row.at.toISOString(),
    client_id: row.clientId,
    count: row.count,
    details: hex(row.detailsCommit),
    event: row.event,
    id: row.id,
    on_behalf_of: row.onBehalfOf,
    outcome: row.outcome,
    reason: row.reason,
    request_id: row.requestId,
    route: row.route,
    session_id: row.sessionId,
    subject_id: row.subjectId,
    target_id: row.targetId,
    target_type: row.targetType,
    tenant: tenantId,
    v,
  })

/** The hash of a leaf (RFC 9162 section 2.1.1), 32 bytes. */
export const leafHash = (entry: string): Uint8Array => sha256(`\0${entry}`)

export const SALT_BYTES = 32

/** The text of an event's details, which is sealed, and its digest, which is public: the salt keeps the digest of an erased text unguessable. */
export const commitDetails = (details: object, salt: Uint8Array): { readonly text: string; readonly commit: Uint8Array } => {
  const text = canonicalJson({ ...details, salt: Buffer.from(salt).toString('base64url') })
  return { text, commit: sha256(text) }
}

export const entryMac = (hash: KeyedHash, tenantId: string, leaf: Uint8Array): Uint8Array =>
  hash('audit leaf', tenantId, Buffer.from(leaf).toString('base64url'))

/** Whether this deployment wrote the row as it stands. Rows of releases before the MAC are not authentic. */
export const isAuthentic = (hash: KeyedHash, row: AuditRow): boolean =>
  row.mac !== null && constantTimeEqual(row.mac, entryMac(hash, row.tenantId, leafOf(row)))

/** What the sealed details are bound to. Rows of releases before the MAC are bound to their id alone. */
export const sealContext = (eventId: string, leaf?: Uint8Array): string =>
  leaf === undefined ? `audit_events:${eventId}` : `audit_events:${eventId}:${Buffer.from(leaf).toString('base64url')}`

/** The digest of a stored row's details. */
export const commitOf = (row: AuditRow): Uint8Array | null => {
  if (row.mac !== null) return row.detailsCommit
  return row.sealed === null ? null : sha256(row.sealed)
}

/** The leaf of a stored row, whether or not it has a MAC. */
export const leafOf = (row: AuditRow): Uint8Array =>
  leafHash(entryText(row.tenantId, { ...row, detailsCommit: commitOf(row) }, row.mac === null ? 0 : 1))
