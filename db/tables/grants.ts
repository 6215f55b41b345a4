// Requests that a person decides on one device while a client waits on another: device grants (RFC 8628), backchannel requests (OpenID CIBA Core 1.0),
// voice sessions; and the phones and browsers that receive push messages.
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import type { AuthorizationDetail } from './delegations.ts'
import { users } from './users.ts'

/** Expiry is evaluated at read time. `failed`: no device could be reached; the client sees an unanswered request. */
export type GrantStatus = 'pending' | 'approved' | 'denied' | 'failed' | 'consumed'
/** Short descriptions that a device gives of itself. */
export type DeviceInfo = Readonly<Record<string, string>>

/** Columns of every request that a person decides and a client polls. */
const grantColumns = () => ({
  tenantId: tenantId(),
  id: uuid('id').notNull(),
  clientId: uuid('client_id'),
  scopes: text('scopes').array().notNull().default([]),
  /** Started at the authorization server, so polled only at its token endpoint: it yields tokens for a resource server instead of a session. */
  forOauth: boolean('for_oauth').notNull().default(false),
  resourceServerId: uuid('resource_server_id'),
  /** Thumbprint of the DPoP key that started it (RFC 9449). */
  jkt: text('jkt'),
  /** Requested authorization details (RFC 9396). */
  details: jsonb('details').$type<readonly AuthorizationDetail[]>().notNull().default([]),
  status: text('status').$type<GrantStatus>().notNull().default('pending'),
  /** Increased by five with every early poll (RFC 8628 section 3.5). */
  intervalSeconds: integer('interval_seconds').notNull(),
  lastPolledAt: timestampColumn('last_polled_at'),
  /** Whether the last poll was too early; written by the polling statement itself. */
  polledTooSoon: boolean('polled_too_soon').notNull().default(false),
  /** The deciding person, session and its strength. */
  userId: uuid('user_id'),
  sessionId: uuid('session_id'),
  amr: text('amr').array().notNull().default([]),
  authTime: timestampColumn('auth_time'),
  decidedAt: timestampColumn('decided_at'),
  createdAt: timestampColumn('created_at').notNull(),
  expiresAt: timestampColumn('expires_at').notNull(),
})

/** The tenant of a code, for look-up before the tenant is known. Only digests, ids and times. */
export const deviceCodeDirectory = schema.table(
  'device_code_directory',
  {
    deviceCodeHash: bytesColumn('device_code_hash').primaryKey(),
    userCodeHash: bytesColumn('user_code_hash').notNull(),
    /** The system tenant until a person approves a grant that no client started. */
    tenantId: tenantId(),
    grantId: uuid('grant_id').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    uniqueIndex('device_code_directory_user_code').on(t.userCodeHash),
    uniqueIndex('device_code_directory_grant').on(t.grantId),
    index('device_code_directory_expires').on(t.expiresAt),
  ],
)

export const deviceGrants = schema.table(
  'device_grants',
  {
    ...grantColumns(),
    channel: text('channel').$type<'device' | 'voice'>().notNull().default('device'),
    deviceInfo: jsonb('device_info').$type<DeviceInfo>(),
    /** The person for whom the request is, if named; only they see it listed. */
    requestedFor: uuid('requested_for'),
    /** The user code sealed with the tenant's key, for that person's list. */
    sealedUserCode: bytesColumn('sealed_user_code'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('device_grants_requested_for').on(t.tenantId, t.requestedFor, t.createdAt),
    index('device_grants_expires').on(t.expiresAt),
    foreignKey({ name: 'device_grants_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
    foreignKey({ name: 'device_grants_for', columns: [t.tenantId, t.requestedFor], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

export const cibaRequests = schema.table(
  'ciba_requests',
  {
    ...grantColumns(),
    /** Digest of `auth_req_id`. */
    handleHash: bytesColumn('handle_hash').notNull(),
    /** Keyed hash of the requested address, so that requests are counted whether or not it has an account. */
    hintHash: bytesColumn('hint_hash').notNull(),
    /** The person; null when the address has no account. */
    requestedFor: uuid('requested_for'),
    /** The displayed text: sanitised, and quoted on pages. */
    bindingMessage: text('binding_message').notNull(),
    /** Keyed hash of the two digits that the client displays, when the tenant requires entering them. */
    numberHash: bytesColumn('number_hash'),
    /** Devices that received the request; no other device may answer. */
    deviceIds: uuid('device_ids').array().notNull().default([]),
    /** The answering device. */
    deviceId: uuid('device_id'),
    /** The device's own description; it proves nothing. */
    biometricVerified: boolean('biometric_verified').notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('ciba_requests_handle').on(t.tenantId, t.handleHash),
    index('ciba_requests_hint').on(t.tenantId, t.hintHash, t.createdAt),
    index('ciba_requests_requested_for').on(t.tenantId, t.requestedFor, t.createdAt),
    index('ciba_requests_expires').on(t.expiresAt),
    foreignKey({ name: 'ciba_requests_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
    foreignKey({ name: 'ciba_requests_for', columns: [t.tenantId, t.requestedFor], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** Registered phones and browsers. The token is sealed; its digest finds it again. */
export const pushDevices = schema.table(
  'push_devices',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    /** The session that registered it last; it answers for the device. */
    sessionId: uuid('session_id').notNull(),
    platform: text('platform').$type<'ios' | 'android' | 'web'>().notNull(),
    /** Null once the device is removed or the token belongs to another person. */
    tokenHash: bytesColumn('token_hash'),
    sealedToken: bytesColumn('sealed_token'),
    deviceName: text('device_name'),
    deviceModel: text('device_model'),
    appVersion: text('app_version'),
    osVersion: text('os_version'),
    isActive: boolean('is_active').notNull().default(true),
    lastUsedAt: timestampColumn('last_used_at'),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('push_devices_token').on(t.tenantId, t.tokenHash),
    index('push_devices_user').on(t.tenantId, t.userId, t.createdAt),
    foreignKey({ name: 'push_devices_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

export type VoiceStatus = 'initiated' | 'verified' | 'failed' | 'expired' | 'consumed'

export const voiceSessions = schema.table(
  'voice_sessions',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    tokenHash: bytesColumn('token_hash').notNull(),
    clientId: uuid('client_id').notNull(),
    /** Whether the client authenticated: only then its statement about the speaker counts. */
    clientAuthenticated: boolean('client_authenticated').notNull(),
    otpHash: bytesColumn('otp_hash').notNull(),
    attempts: integer('attempts').notNull().default(0),
    status: text('status').$type<VoiceStatus>().notNull().default('initiated'),
    voicePlatform: text('voice_platform'),
    voiceUserId: text('voice_user_id'),
    deviceInfo: jsonb('device_info').$type<DeviceInfo>(),
    scopes: text('scopes').array().notNull().default([]),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('voice_sessions_token').on(t.tenantId, t.tokenHash),
    index('voice_sessions_expires').on(t.expiresAt),
  ],
)

export const voiceLinks = schema.table(
  'voice_links',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    voicePlatform: text('voice_platform').notNull(),
    voiceUserId: text('voice_user_id').notNull(),
    voiceUserName: text('voice_user_name'),
    linkMethod: text('link_method').notNull(),
    lastUsedAt: timestampColumn('last_used_at'),
    linkedAt: timestampColumn('linked_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('voice_links_speaker').on(t.tenantId, t.voicePlatform, t.voiceUserId),
    index('voice_links_user').on(t.tenantId, t.userId),
    foreignKey({ name: 'voice_links_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)
