// Queries on consents, their authorizations, and single-use ids; an authorization's tokens: oauth-families.ts. Statements of the
// code flow that read several tables at once: oauth-code-flow.ts.
import { and, count, desc, eq, gt, inArray, isNull } from 'drizzle-orm'
import { column, columns, type RowOf, statement } from '../engine/statement.ts'
import { ownRows, runStatement, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { clients } from '../tables/clients.ts'
import { oauthAuthorizations, oauthConsents, oauthRequests, oauthUsedIds, resourceServers } from '../tables/oauth.ts'
import { BEFORE_DEADLINE, type EventParameters, eventParameters, INSERT_AUDIT_EVENTS, NO_EVENTS, type PreparedAuditEvents } from './audit-events.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'
import { afterCursor, keysetOrder, type Page } from './keyset.ts'
import { SCOPES_OF_USER } from './oauth-clients.ts'
import { AUTHORIZATION_STATE, AUTHORIZATION_STATE_SOURCES, type AuthorizationState } from './oauth-families.ts'

export type { AuthorizationParameters, ConsentPrompt } from '../tables/oauth.ts'
export type Authorization = typeof oauthAuthorizations.$inferSelect
export type NewAuthorization = Omit<typeof oauthAuthorizations.$inferInsert, 'tenantId'>
export type StoredAuthorizationRequest = typeof oauthRequests.$inferSelect

/** The first redemption of a code. */
export type CodeRedemption = {
  /** The authorization as it was read. The redemption happens only if its code is unused and the authorization unchanged. */
  readonly snapshot: AuthorizationState
  readonly jkt: string | undefined
  readonly now: Date
  readonly familyHash: Uint8Array
  /** Expiry of its refresh tokens, with `offline_access` and without. */
  readonly offlineUntil: Date
  readonly onlineUntil: Date
}
type RedemptionParameters = Omit<CodeRedemption, 'snapshot'> &
  EventParameters & { readonly id: string; readonly scopes: readonly string[]; readonly resource: string | undefined }

// The update waits for a concurrent redemption, reads the row again, and finds the code used.
const REDEEM = statement<RedemptionParameters>(`
with state as materialized (select ${AUTHORIZATION_STATE.list} ${AUTHORIZATION_STATE_SOURCES('a.id = :id')}),
redeemed as (
  update authsec.oauth_authorizations a set code_used_at = :now, rotated_at = :now, family_hash = :familyHash, jkt = coalesce(:jkt, a.jkt),
    refresh_expires_at = case when a.offline then :offlineUntil::timestamptz else :onlineUntil::timestamptz end,
    expires_at = case when a.offline then :offlineUntil::timestamptz else :onlineUntil::timestamptz end
  from state s
  where a.tenant_id = :tenantId and a.id = s.id and a.code_used_at is null and a.revoked_at is null and s.alive
    and s."resource.scopes" = :scopes::text[] and s."resource.resource" is not distinct from :resource and ${BEFORE_DEADLINE(':until')}
  returning a.id),
recorded as (${INSERT_AUDIT_EVENTS('redeemed', ':records')})
select ${AUTHORIZATION_STATE.from('state')} from state join redeemed on redeemed.id = state.id`).returning(AUTHORIZATION_STATE)

/**
 * Redeems a code with its events, once. Returns the current authorization. Undefined, and nothing is written, when the code was used, the authorization has ended or differs from the
 * snapshot, or when it is too late for the events.
 */
export const redeemCode = (
  t: TenantDb,
  { snapshot, ...redemption }: CodeRedemption,
  events: PreparedAuditEvents,
): Promise<AuthorizationState | undefined> => {
  const { id, resource } = snapshot
  const parameters = { ...redemption, id, scopes: resource?.scopes ?? [], resource: resource?.resource, ...eventParameters(t, events) }
  return REDEEM.first(t, parameters, (s) => runStatement(t, s))
}

/** Earlier scopes are kept. `:remember`: whether the person wants no further prompt for it. */
const ALLOW = (id: string, from: string, onlyIf: string): string => `
  insert into authsec.oauth_grants as g (tenant_id, id, user_id, client_id, resource_server_id, scopes, remembered_scopes, created_at, updated_at)
  select r.tenant_id, r.${id}, r.user_id, r.client_id, r.resource_server_id, r.scopes, case when :remember then null else '{}'::text[] end, r.created_at, r.created_at
  from ${from} where ${onlyIf}
  on conflict (tenant_id, user_id, client_id, resource_server_id) do update set
    scopes = array(select distinct unnest(g.scopes || excluded.scopes) order by 1),
    remembered_scopes = case
      when not :remember then coalesce(g.remembered_scopes, g.scopes)
      when g.remembered_scopes is null then null
      else array(select distinct unnest(g.remembered_scopes || excluded.scopes) order by 1) end,
    updated_at = excluded.updated_at
  returning g.id`
const PUT_GRANT = statement<{ record: string; remember: boolean }>(ALLOW('id', JSON_RECORD(oauthConsents, ':record'), 'true')).returning(
  columns({ id: column<string>('g.id') }),
)
const BELOW_GRANT = `allowed, ${JSON_RECORD(oauthAuthorizations, `:record::jsonb || jsonb_build_object('grant_id', allowed.id)`)}`
const AUTHORIZE = statement<EventParameters & { record: string; remember: boolean }>(`
with allowed as (${ALLOW('grant_id', JSON_RECORD(oauthAuthorizations, ':record'), BEFORE_DEADLINE(':until'))}),
authorized as (${INSERT_FROM(oauthAuthorizations, BELOW_GRANT)} returning id),
recorded as (${INSERT_AUDIT_EVENTS('authorized', ':records')})
select id from authorized`)

/** Adds the scopes to what the person allowed the client; remembered by default. */
export const putConsent = async (
  t: TenantTx,
  row: Pick<NewAuthorization, 'id' | 'userId' | 'clientId' | 'resourceServerId' | 'scopes'> & { readonly at: Date; readonly remember?: boolean },
): Promise<string> => {
  const { at, remember = true, ...own } = row
  const record = jsonRecord(oauthConsents, { ...own, tenantId: t.tenantId, createdAt: at, updatedAt: at })
  const put = await PUT_GRANT.first(t, { record, remember })
  return put?.id ?? ''
}

/**
 * Writes the grant, and the authorization below it with its events; `grantId` becomes the grant's id where it is the first of person, client and resource
 * server. False, and nothing is written, when it is too late for the events.
 */
export const authorizeClient = async (t: TenantDb, row: NewAuthorization, remember = true, events = NO_EVENTS): Promise<boolean> => {
  const record = jsonRecord(oauthAuthorizations, { ...row, tenantId: t.tenantId })
  return (await AUTHORIZE.count(t, { record, remember, ...eventParameters(t, events) }, (s) => runStatement(t, s))) === 1
}

export type Consent = typeof oauthConsents.$inferSelect

export const findConsent = async (t: TenantDb, id: string): Promise<Consent | undefined> => {
  const [row] = await t.db
    .select()
    .from(oauthConsents)
    .where(and(ownRows(t, oauthConsents), eq(oauthConsents.id, id)))
  return row
}

export type ConsentFilter = { readonly userId: string | undefined; readonly clientId: string | undefined; readonly serverId: string | undefined }

/** Consents of all people, newest first. */
export const listAllConsents = async (t: TenantDb, f: ConsentFilter, limit: number) => {
  const c = oauthConsents
  const rows = await t.db
    .select({ consent: c, clientName: clients.name, resourceName: resourceServers.name })
    .from(c)
    .innerJoin(clients, and(eq(clients.tenantId, c.tenantId), eq(clients.id, c.clientId)))
    .leftJoin(resourceServers, and(eq(resourceServers.tenantId, c.tenantId), eq(resourceServers.id, c.resourceServerId)))
    .where(
      and(
        ownRows(t, c),
        f.userId === undefined ? undefined : eq(c.userId, f.userId),
        f.clientId === undefined ? undefined : eq(c.clientId, f.clientId),
        f.serverId === undefined ? undefined : eq(c.resourceServerId, f.serverId),
      ),
    )
    .orderBy(desc(c.updatedAt), desc(c.id))
    .limit(limit)
  return rows.map(({ consent, ...names }) => ({ ...consent, ...names }))
}

/** The number of consents of each of these people; people without one are absent. */
export const countConsentsOfPeople = async (t: TenantDb, userIds: readonly string[]): Promise<Map<string, number>> => {
  if (userIds.length === 0) return new Map()
  const rows = await t.db
    .select({ userId: oauthConsents.userId, consents: count() })
    .from(oauthConsents)
    .where(and(ownRows(t, oauthConsents), inArray(oauthConsents.userId, [...userIds])))
    .groupBy(oauthConsents.userId)
  return new Map(rows.map(({ userId, consents }) => [userId, consents]))
}

/** Deletes a consent with everything below it. */
export const deleteConsent = async (t: TenantTx, id: string, userId: string): Promise<Consent | undefined> => {
  const [row] = await t.db
    .delete(oauthConsents)
    .where(and(ownRows(t, oauthConsents), eq(oauthConsents.id, id), eq(oauthConsents.userId, userId)))
    .returning()
  return row
}

/** Deletes all consents for a client, with everything below them, and ends its open requests. Returns how many consents, people and requests there were. */
export const deleteConsentsOfClient = async (
  t: TenantTx,
  clientId: string,
  at: Date,
): Promise<{ readonly consents: number; readonly people: number; readonly requests: number }> => {
  const r = oauthRequests
  const requests = await t.db
    .update(r)
    .set({ usedAt: at })
    .where(and(ownRows(t, r), eq(r.clientId, clientId), isNull(r.usedAt), gt(r.expiresAt, at)))
    .returning({ id: r.id })
  const rows = await t.db
    .delete(oauthConsents)
    .where(and(ownRows(t, oauthConsents), eq(oauthConsents.clientId, clientId)))
    .returning({ userId: oauthConsents.userId })
  return { consents: rows.length, people: new Set(rows.map(({ userId }) => userId)).size, requests: requests.length }
}

const CONSENTED = columns({ permission: column<string>('rs.permission') })
const FIND_CONSENTED = statement<{ clientId: string }>(`select distinct ${CONSENTED.list} from authsec.oauth_grants g
  join authsec.resource_scopes rs on rs.tenant_id = g.tenant_id and rs.resource_server_id = g.resource_server_id and rs.name = any (g.scopes)
  where g.tenant_id = :tenantId and g.client_id = :clientId and rs.permission is not null order by 1`).returning(CONSENTED)

/** The permissions of every scope that a person allowed the client, whether or not that person holds them now. */
export const findConsentedPermissions = async (t: TenantDb, clientId: string): Promise<string[]> =>
  (await FIND_CONSENTED.all(t, { clientId })).map(({ permission }) => permission)

const consentColumns = { id: oauthConsents.id, by: { updated_at: oauthConsents.updatedAt } }

/** The consents of a person, with the names of client and resource server. */
export const listConsents = (t: TenantDb, userId: string, page: Page<'updated_at'>) =>
  t.db
    .select({
      id: oauthConsents.id,
      clientId: oauthConsents.clientId,
      clientName: clients.name,
      resource: resourceServers.resource,
      scopes: oauthConsents.scopes,
      createdAt: oauthConsents.createdAt,
      updatedAt: oauthConsents.updatedAt,
    })
    .from(oauthConsents)
    .innerJoin(clients, and(eq(clients.tenantId, oauthConsents.tenantId), eq(clients.id, oauthConsents.clientId)))
    .leftJoin(resourceServers, and(eq(resourceServers.tenantId, oauthConsents.tenantId), eq(resourceServers.id, oauthConsents.resourceServerId)))
    .where(and(ownRows(t, oauthConsents), eq(oauthConsents.userId, userId), afterCursor(page, consentColumns)))
    .orderBy(...keysetOrder(page, consentColumns))
    .limit(page.limit)

export type NewAuthorizationRequest = Omit<typeof oauthRequests.$inferInsert, 'tenantId'>
/** Inserts a request that is given as a parameter. */
export const INSERT_REQUEST = INSERT_FROM(oauthRequests, JSON_RECORD(oauthRequests, ':record'))
const KEEP = statement<{ record: string }>(INSERT_REQUEST)

/** Not audited, because the request has had no effect yet. */
export const insertAuthorizationRequest = async (t: TenantDb, row: NewAuthorizationRequest): Promise<void> => {
  await KEEP.count(t, { record: jsonRecord(oauthRequests, { ...row, tenantId: t.tenantId }) })
}

/** Finds it in any state. */
export const findAnyAuthorizationRequest = async (t: TenantDb, handleHash: Uint8Array): Promise<StoredAuthorizationRequest | undefined> => {
  const [row] = await t.db
    .select()
    .from(oauthRequests)
    .where(and(ownRows(t, oauthRequests), eq(oauthRequests.handleHash, handleHash)))
  return row
}

const liveRequest = (t: TenantDb, handleHash: Uint8Array, now: Date, kinds: readonly StoredAuthorizationRequest['kind'][]) => {
  const r = oauthRequests
  return and(ownRows(t, r), eq(r.handleHash, handleHash), inArray(r.kind, [...kinds]), isNull(r.usedAt), gt(r.expiresAt, now))
}

export const findAuthorizationRequest = async (
  t: TenantDb,
  handleHash: Uint8Array,
  now: Date,
  kinds: readonly StoredAuthorizationRequest['kind'][],
): Promise<StoredAuthorizationRequest | undefined> => {
  const [row] = await t.db
    .select()
    .from(oauthRequests)
    .where(liveRequest(t, handleHash, now, kinds))
  return row
}

/** Of several concurrent requests exactly one gets it. */
export const consumeAuthorizationRequest = async (
  t: TenantTx,
  handleHash: Uint8Array,
  now: Date,
  kinds: readonly StoredAuthorizationRequest['kind'][],
): Promise<StoredAuthorizationRequest | undefined> => {
  const [row] = await t.db
    .update(oauthRequests)
    .set({ usedAt: now })
    .where(liveRequest(t, handleHash, now, kinds))
    .returning()
  return row
}

/** False when the id was used before. */
export const consumeIdOnce = async (t: TenantDb, idHash: Uint8Array, expiresAt: Date): Promise<boolean> => {
  const rows = await t.db
    .insert(oauthUsedIds)
    .values({ tenantId: t.tenantId, idHash, expiresAt })
    .onConflictDoNothing()
    .returning({ idHash: oauthUsedIds.idHash })
  return rows.length === 1
}

/** The remembered consent of a person for a client at a resource server. */
const GRANTED = (user: string, client: string, server: string): string => `
  coalesce((select coalesce(g.remembered_scopes, g.scopes) from authsec.oauth_grants g where g.tenant_id = :tenantId and g.user_id = ${user}
    and g.client_id = ${client} and g.resource_server_id is not distinct from ${server}), '{}')`

/** The person's rights at a resource server, and the remembered consent for the client. */
export const CONSENT = (user: string, client: string, server: string) =>
  columns({
    held: column<readonly string[]>(SCOPES_OF_USER(server, user, ':now')),
    granted: column<readonly string[]>(GRANTED(user, client, server)),
  })
const STATE = CONSENT(':userId::uuid', ':clientId::uuid', ':resourceServerId::uuid')
export type ConsentState = RowOf<typeof STATE>

type ConsentQuery = { readonly userId: string; readonly clientId: string; readonly resourceServerId: string | null; readonly now: Date }
const FIND_CONSENT = statement<ConsentQuery>(`select ${STATE.list}`).returning(STATE)

export const findConsentState = async (t: TenantDb, of: ConsentQuery): Promise<ConsentState> =>
  (await FIND_CONSENT.first(t, of)) ?? { held: [], granted: [] }
