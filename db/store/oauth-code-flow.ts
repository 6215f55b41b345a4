// The code flow, in as few statements as it has steps: each asks of several things at once, or writes the record beside the change. Written by hand, prepared
// by the driver (hot path); oauth-code-flow.test.ts holds them to what they are made of.

import { runStatement, type TenantDb } from '../engine/tenant.ts'
import { oauthAuthorizations, oauthRequests } from '../tables/oauth.ts'
import { auditEventsJson, BEFORE_DEADLINE, INSERT_AUDIT_EVENTS, type PreparedAuditEvents } from './audit-events.ts'
import { PAGE_BRANDING, type PageBranding, pageBrandingOf } from './branding.ts'
import { jsonRecord } from './json-records.ts'
import {
  type AuthorizationParameters,
  CONSENTED_SCOPES,
  type CodeRedemption,
  type ConsentState,
  INSERT_AUTHORIZATION,
  INSERT_REQUEST,
  type NewAuthorization,
  type NewAuthorizationRequest,
  REDEEM_CODE,
  REDEEMED_STATE,
  redemptionOf,
} from './oauth-authorizations.ts'
import { CLIENT_CELLS, clientOf, type OauthClient, SCOPES_OF_USER, SELECT_CLIENT } from './oauth-clients.ts'
import {
  AUTHORIZATION_STATE,
  AUTHORIZATION_STATE_CELLS,
  AUTHORIZATION_STATE_SOURCES,
  type AuthorizationState,
  authorizationStateOf,
} from './oauth-families.ts'

type Row = readonly unknown[]

/** What a person may have and has allowed: at the resource server that the client asks for, and of its own identity. */
export type ConsentStates = { readonly atServer: ConsentState; readonly ofIdentity: ConsentState }

const WITH_CONSENT = SELECT_CLIENT(
  { id: '$2', resource: '$3::text', now: '$4' },
  `, ${SCOPES_OF_USER('r.id', '$5::uuid', '$4')}, ${CONSENTED_SCOPES('$5::uuid', 'c.id', 'r.id')}, ${CONSENTED_SCOPES('$5::uuid', 'c.id', 'null::uuid')}`,
)

/** The client as `findOauthClient` has it, and what that person may have through it. */
export const findClientAndConsent = async (
  t: TenantDb,
  of: { readonly clientId: string; readonly resource: string | undefined; readonly userId: string; readonly now: Date },
): Promise<{ readonly client: OauthClient; readonly beside: ConsentStates } | undefined> => {
  const params = [t.tenantId, of.clientId, of.resource ?? null, of.now.toISOString(), of.userId]
  const [row] = (await t.run({ text: WITH_CONSENT, params, arrays: true })) as Row[]
  const client = clientOf(t, row)
  if (row === undefined || client === undefined) return undefined
  const [held, granted, ofIdentity] = row.slice(CLIENT_CELLS) as string[][]
  return { client, beside: { atServer: { held: held ?? [], granted: granted ?? [] }, ofIdentity: { held: [], granted: ofIdentity ?? [] } } }
}

const KEEP = `with kept as (${INSERT_REQUEST('$2')}) select ${PAGE_BRANDING}`

/** As `insertAuthorizationRequest`, for a page: answers what the page begins with. */
export const storeRequestForPage = async (t: TenantDb, row: NewAuthorizationRequest): Promise<PageBranding> => {
  const params = [t.tenantId, jsonRecord(oauthRequests, { ...row, tenantId: t.tenantId })]
  const [looks] = (await t.run({ text: KEEP, params, arrays: true })) as Row[]
  return pageBrandingOf(t, looks)
}

const TAKE = `with taken as (
  update authsec.oauth_requests q set used_at = $2
  where q.tenant_id = $1 and q.handle_hash = $3 and q.kind = 'consent' and q.used_at is null and q.expires_at > $2
    and q.user_id = $4 and q.session_id = $5 and q.browser_hash is null
  returning q.client_id, q.parameters)
select taken.parameters, client.* from taken left join lateral (${SELECT_CLIENT(
  { id: 'taken.client_id', resource: `(taken.parameters ->> 'resource')`, now: '$2' },
  `, ${SCOPES_OF_USER('r.id', '$4', '$2')}`,
)}) client on true`

export type ConsumedConsent = {
  readonly parameters: AuthorizationParameters
  readonly client: OauthClient | undefined
  /** What the person may have at the resource server that was asked for. */
  readonly held: readonly string[]
}

/** What a person was asked on our own page, in that session, and the client as it is now. Of many answers exactly one gets it; somebody else's leaves it. */
export const consumeConsent = async (
  t: TenantDb,
  of: { readonly handleHash: Uint8Array; readonly userId: string; readonly sessionId: string; readonly now: Date },
): Promise<ConsumedConsent | undefined> => {
  const params = [t.tenantId, of.now.toISOString(), of.handleHash, of.userId, of.sessionId]
  const [row] = (await t.run({ text: TAKE, params, arrays: true })) as Row[]
  if (row === undefined) return undefined
  const cells = row.slice(1)
  return {
    parameters: row[0] as AuthorizationParameters,
    client: clientOf(t, cells),
    held: (cells[CLIENT_CELLS] as string[] | null) ?? [],
  }
}

const AUTHORIZE = `with ${INSERT_AUTHORIZATION(BEFORE_DEADLINE('$4'))}, recorded as (${INSERT_AUDIT_EVENTS('authorized', '$3')}) select id from authorized`

/** As `authorizeClient`, with its events, at once. False, and nothing is written, where it is too late for them. */
export const authorizeInOneStatement = async (
  t: TenantDb,
  row: NewAuthorization,
  remember: boolean,
  { rows, until }: PreparedAuditEvents,
): Promise<boolean> => {
  const params = [jsonRecord(oauthAuthorizations, { ...row, tenantId: t.tenantId }), remember, auditEventsJson(t, rows), until.toISOString()]
  return (await runStatement(t, { text: AUTHORIZE, params, arrays: true })).length === 1
}

const WITH_CODE = `select client.*, standing.* from (${SELECT_CLIENT({ id: '$2', resource: '$3::text', now: '$4' })}) client
left join (select ${AUTHORIZATION_STATE('$4')}, a.id ${AUTHORIZATION_STATE_SOURCES('a.code_hash = $5')}) standing on true`

export type CodeState = { readonly id: string; readonly standing: AuthorizationState }

/** The client as `findOauthClient` has it, and what is behind the code that it shows, whosever that is. */
export const findClientAndCode = async (
  t: TenantDb,
  of: { readonly clientId: string; readonly resource: string | undefined; readonly codeHash: Uint8Array; readonly now: Date },
): Promise<{ readonly client: OauthClient; readonly beside: CodeState | undefined } | undefined> => {
  const params = [t.tenantId, of.clientId, of.resource ?? null, of.now.toISOString(), of.codeHash]
  const [row] = (await t.run({ text: WITH_CODE, params, arrays: true })) as Row[]
  const client = clientOf(t, row)
  if (row === undefined || client === undefined) return undefined
  const cells = row.slice(CLIENT_CELLS)
  const id = cells[AUTHORIZATION_STATE_CELLS] as string | null
  return { client, beside: id === null ? undefined : { id, standing: authorizationStateOf(cells) } }
}

const AS_JUDGED = `and s.held = $11::text[] and s.resource is not distinct from $12 and ${BEFORE_DEADLINE('$14')}`
const REDEEM = `with ${REDEEM_CODE(AS_JUDGED)}, recorded as (${INSERT_AUDIT_EVENTS('redeemed', '$13')}) ${REDEEMED_STATE}`

/**
 * As `redeemCode`, with its events, at once: tells what is behind the code now, which may be another than was read before. Undefined, and nothing is written,
 * also where what the person may have is not that any more, and so not what the events say, or it is too late for them.
 */
export const redeemInOneStatement = async (
  t: TenantDb,
  redemption: CodeRedemption,
  { resource }: Pick<AuthorizationState, 'resource'>,
  { rows, until }: PreparedAuditEvents,
): Promise<AuthorizationState | undefined> => {
  const judged = [resource?.scopes ?? [], resource?.resource ?? null]
  const params = [...redemptionOf(t, redemption), ...judged, auditEventsJson(t, rows), until.toISOString()]
  const [row] = (await runStatement(t, { text: REDEEM, params, arrays: true })) as Row[]
  return row === undefined ? undefined : authorizationStateOf(row)
}
