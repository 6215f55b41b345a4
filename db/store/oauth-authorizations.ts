// Every query on grants of people, the authorizations below them, and what is used once; what hangs below an authorization: oauth-families.ts. Statements of the
// code flow, which ask of several things at once: oauth-code-flow.ts.
import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { oauthAuthorizations, oauthConsents, oauthRequests, oauthUsedIds } from '../tables/oauth.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'
import { SCOPES_OF_USER } from './oauth-clients.ts'
import { AUTHORIZATION_STATE, AUTHORIZATION_STATE_SOURCES, type AuthorizationState, authorizationStateOf } from './oauth-families.ts'

export type { AuthorizationParameters, ConsentPrompt } from '../tables/oauth.ts'
export type Authorization = typeof oauthAuthorizations.$inferSelect
export type NewAuthorization = Omit<typeof oauthAuthorizations.$inferInsert, 'tenantId'>
export type StoredAuthorizationRequest = typeof oauthRequests.$inferSelect

/** What a code is redeemed with, and what the first redemption makes of it. */
export type CodeRedemption = {
  readonly codeHash: Uint8Array
  readonly clientId: string
  readonly codeChallenge: string
  readonly redirectUri: string | undefined
  readonly jkt: string | undefined
  readonly now: Date
  readonly familyHash: Uint8Array
  /** Until when its refresh tokens count, with `offline_access` and without. */
  readonly offlineUntil: Date
  readonly onlineUntil: Date
}

/** The authorization of a code of that client that was used already. */
export const findUsedCode = async (t: TenantDb, codeHash: Uint8Array, clientId: string): Promise<Authorization | undefined> => {
  const a = oauthAuthorizations
  const [row] = await t.db
    .select()
    .from(a)
    .where(and(ownRows(t, a), eq(a.codeHash, codeHash), eq(a.clientId, clientId), sql`${a.codeUsedAt} is not null`))
  return row
}

type Row = readonly unknown[]

// As with a refresh: the update waits for a redemption under way, looks at the row again, and finds the code used.
export const REDEEM_CODE = (asJudged = ''): string => `
standing as materialized (select ${AUTHORIZATION_STATE('$3')}, a.id as authorization_id ${AUTHORIZATION_STATE_SOURCES('a.code_hash = $2')}),
redeemed as (
  update authsec.oauth_authorizations a set code_used_at = $3, rotated_at = $3, family_hash = $4, jkt = coalesce($5, a.jkt),
    refresh_expires_at = case when a.offline then $6::timestamptz else $7::timestamptz end,
    expires_at = case when a.offline then $6::timestamptz else $7::timestamptz end
  from standing s
  where a.tenant_id = $1 and a.id = s.authorization_id and a.client_id = $8 and a.code_challenge = $9 and ($10::text is null or a.redirect_uri = $10)
    and (a.jkt is null or a.jkt = $5) and a.code_used_at is null and a.revoked_at is null and a.code_expires_at > $3 and s.alive ${asJudged}
  returning a.id)`
/** What is behind the code that was redeemed, as it is now. */
export const REDEEMED_STATE = 'select standing.* from standing join redeemed on redeemed.id = standing.authorization_id'
const REDEEM = `with ${REDEEM_CODE()} ${REDEEMED_STATE}`

export const redemptionOf = (t: TenantDb, r: CodeRedemption): unknown[] => {
  const [now, offline, online] = [r.now.toISOString(), r.offlineUntil.toISOString(), r.onlineUntil.toISOString()]
  return [t.tenantId, r.codeHash, now, r.familyHash, r.jkt ?? null, offline, online, r.clientId, r.codeChallenge, r.redirectUri ?? null]
}

/**
 * Of many at once exactly one redeems the code, and only whoever may, while everything behind it stands: any other try leaves it as it is. Tells what is behind
 * it, in the same statement.
 */
export const redeemCode = async (
  t: TenantTx,
  r: CodeRedemption,
): Promise<{ readonly id: string; readonly standing: AuthorizationState } | undefined> => {
  const [row] = (await t.run({ text: REDEEM, params: redemptionOf(t, r), arrays: true })) as Row[]
  return row === undefined ? undefined : { id: row[28] as string, standing: authorizationStateOf(row) }
}

/** What was allowed before stays. $2: whether the person wants not to be asked about it again. */
const ALLOW = (id: string, from: string, onlyIf: string): string => `
  insert into authsec.oauth_grants as g (tenant_id, id, user_id, client_id, resource_server_id, scopes, remembered_scopes, created_at, updated_at)
  select r.tenant_id, r.${id}, r.user_id, r.client_id, r.resource_server_id, r.scopes, case when $2 then null else '{}'::text[] end, r.created_at, r.created_at
  from ${from} where ${onlyIf}
  on conflict (tenant_id, user_id, client_id, resource_server_id) do update set
    scopes = array(select distinct unnest(g.scopes || excluded.scopes) order by 1),
    remembered_scopes = case
      when not $2 then coalesce(g.remembered_scopes, g.scopes)
      when g.remembered_scopes is null then null
      else array(select distinct unnest(g.remembered_scopes || excluded.scopes) order by 1) end,
    updated_at = excluded.updated_at
  returning g.id`
const PUT_GRANT = ALLOW('id', JSON_RECORD(oauthConsents, '$1'), 'true')
const BELOW_GRANT = `allowed, ${JSON_RECORD(oauthAuthorizations, `$1::jsonb || jsonb_build_object('grant_id', allowed.id)`)}`
export const INSERT_AUTHORIZATION = (onlyIf = 'true'): string => `
allowed as (${ALLOW('grant_id', JSON_RECORD(oauthAuthorizations, '$1'), onlyIf)}),
authorized as (${INSERT_FROM(oauthAuthorizations, BELOW_GRANT)} returning id)`
const AUTHORIZE = `with ${INSERT_AUTHORIZATION()} select id from authorized`

/** What the person allows the client now: what it allowed before, and this; remembered unless told. */
export const putConsent = async (
  t: TenantTx,
  row: Pick<NewAuthorization, 'id' | 'userId' | 'clientId' | 'resourceServerId' | 'scopes'> & { readonly at: Date; readonly remember?: boolean },
): Promise<string> => {
  const { at, remember = true, ...own } = row
  const params = [jsonRecord(oauthConsents, { ...own, tenantId: t.tenantId, createdAt: at, updatedAt: at }), remember]
  const [put] = (await t.run({ text: PUT_GRANT, params, arrays: true })) as Row[]
  return put?.[0] as string
}

/** The grant, and the authorization below it; `grantId` is the grant's where it is the first of person, client and resource server. */
export const authorizeClient = async (t: TenantTx, row: NewAuthorization, remember = true): Promise<void> => {
  await t.run({ text: AUTHORIZE, params: [jsonRecord(oauthAuthorizations, { ...row, tenantId: t.tenantId }), remember], arrays: true })
}

export type Consent = typeof oauthConsents.$inferSelect

/** With it goes everything below. */
export const deleteConsent = async (t: TenantTx, id: string, userId: string): Promise<Consent | undefined> => {
  const [row] = await t.db
    .delete(oauthConsents)
    .where(and(ownRows(t, oauthConsents), eq(oauthConsents.id, id), eq(oauthConsents.userId, userId)))
    .returning()
  return row
}

/** Everything that people let a client do, and all below it. */
export const deleteConsentsOfClient = async (t: TenantTx, clientId: string): Promise<void> => {
  await t.db.delete(oauthConsents).where(and(ownRows(t, oauthConsents), eq(oauthConsents.clientId, clientId)))
}

/** Newest first. */
export const listConsents = async (
  t: TenantDb,
  userId: string,
  limit: number,
): Promise<(Consent & { clientName: string; resource: string | null })[]> => {
  const text = `select g.id, g.client_id, c.name, r.resource, g.scopes, g.created_at, g.updated_at
    from authsec.oauth_grants g join authsec.clients c on c.tenant_id = g.tenant_id and c.id = g.client_id
    left join authsec.resource_servers r on r.tenant_id = g.tenant_id and r.id = g.resource_server_id
    where g.tenant_id = $1 and g.user_id = $2 order by g.updated_at desc, g.id limit $3`
  const rows = (await t.run({ text, params: [t.tenantId, userId, limit], arrays: true })) as Row[]
  return rows.map((row) => ({
    tenantId: t.tenantId,
    id: row[0] as string,
    userId,
    clientId: row[1] as string,
    clientName: row[2] as string,
    resourceServerId: null,
    resource: row[3] as string | null,
    scopes: row[4] as string[],
    rememberedScopes: null,
    createdAt: new Date(row[5] as string),
    updatedAt: new Date(row[6] as string),
  }))
}

export type NewAuthorizationRequest = Omit<typeof oauthRequests.$inferInsert, 'tenantId'>
export const INSERT_REQUEST = (record: string): string => INSERT_FROM(oauthRequests, JSON_RECORD(oauthRequests, record))
const KEEP = INSERT_REQUEST('$1')

/** No change for the record: nothing came of it yet. */
export const insertAuthorizationRequest = async (t: TenantDb, row: NewAuthorizationRequest): Promise<void> => {
  await t.run({ text: KEEP, params: [jsonRecord(oauthRequests, { ...row, tenantId: t.tenantId })], arrays: true })
}

/** Whatever became of it: which client asked for what. */
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

/** Of many at once exactly one gets it. */
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

/** What the person may have at the resource server, and what it allowed the client before, to be remembered. */
export type ConsentState = { readonly held: readonly string[]; readonly granted: readonly string[] }

/** Of a person what it allowed a client at a resource server, to be remembered. */
export const CONSENTED_SCOPES = (user: string, client: string, server: string): string => `
  coalesce((select coalesce(g.remembered_scopes, g.scopes) from authsec.oauth_grants g where g.tenant_id = $1 and g.user_id = ${user} and g.client_id = ${client}
    and g.resource_server_id is not distinct from ${server}), '{}')`
const CONSENT_STATE = `select ${SCOPES_OF_USER('$4::uuid', '$2::uuid', '$5')}, ${CONSENTED_SCOPES('$2::uuid', '$3::uuid', '$4::uuid')}`

export const findConsentState = async (
  t: TenantDb,
  of: { readonly userId: string; readonly clientId: string; readonly resourceServerId: string | null; readonly now: Date },
): Promise<ConsentState> => {
  const params = [t.tenantId, of.userId, of.clientId, of.resourceServerId, of.now.toISOString()]
  const [row] = (await t.run({ text: CONSENT_STATE, params, arrays: true })) as Row[]
  return { held: (row?.[0] as string[] | undefined) ?? [], granted: (row?.[1] as string[] | undefined) ?? [] }
}
