// The code flow, in as few statements as it has steps: each asks of several things at once, or writes the record beside the change. Written by hand, prepared
// by the driver (hot path); oauth-code-flow.test.ts holds them to what they are made of.

import { atOnce, type TenantDb } from '../engine/tenant.ts'
import { oauthAuthorizations, oauthRequests } from '../tables/oauth.ts'
import { auditRecords, type EventsAtHand, IN_TIME, RECORDED } from './audit-events.ts'
import { LOOKS, type Looks, looksOf } from './branding.ts'
import {
  AUTHORIZED,
  type AuthorizationParameters,
  BEHIND_REDEEMED,
  type ConsentState,
  GRANTED,
  KEPT,
  type NewAuthorization,
  type NewRequest,
  REDEEMED,
  type Redemption,
  redemptionOf,
} from './oauth-authorizations.ts'
import { CLIENT, CLIENT_CELLS, clientOf, type OauthClient, SCOPES_OF_USER } from './oauth-clients.ts'
import { SOURCES, STANDING, STANDING_CELLS, type Standing, standingOf } from './oauth-families.ts'
import { jsonRecord } from './records.ts'

type Row = readonly unknown[]

/** What a person may have and has allowed: at the resource server that the client asks for, and of its own identity. */
export type ConsentStates = { readonly atServer: ConsentState; readonly ofIdentity: ConsentState }

const WITH_CONSENT = CLIENT(
  { id: '$2', resource: '$3::text', now: '$4' },
  `, ${SCOPES_OF_USER('r.id', '$5::uuid', '$4')}, ${GRANTED('$5::uuid', 'c.id', 'r.id')}, ${GRANTED('$5::uuid', 'c.id', 'null::uuid')}`,
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

const KEEP = `with kept as (${KEPT('$2')}) select ${LOOKS}`

/** As `insertRequest`, for a page: answers what the page begins with. */
export const keepForPage = async (t: TenantDb, row: NewRequest): Promise<Looks> => {
  const params = [t.tenantId, jsonRecord(oauthRequests, { ...row, tenantId: t.tenantId })]
  const [looks] = (await t.run({ text: KEEP, params, arrays: true })) as Row[]
  return looksOf(t, looks)
}

const TAKE = `with taken as (
  update authsec.oauth_requests q set used_at = $2
  where q.tenant_id = $1 and q.handle_hash = $3 and q.kind = 'consent' and q.used_at is null and q.expires_at > $2
    and q.user_id = $4 and q.session_id = $5 and q.browser_hash is null
  returning q.client_id, q.parameters)
select taken.parameters, client.* from taken left join lateral (${CLIENT(
  { id: 'taken.client_id', resource: `(taken.parameters ->> 'resource')`, now: '$2' },
  `, ${SCOPES_OF_USER('r.id', '$4', '$2')}`,
)}) client on true`

export type TakenConsent = {
  readonly parameters: AuthorizationParameters
  readonly client: OauthClient | undefined
  /** What the person may have at the resource server that was asked for. */
  readonly held: readonly string[]
}

/** What a person was asked on our own page, in that session, and the client as it is now. Of many answers exactly one gets it; somebody else's leaves it. */
export const takeConsent = async (
  t: TenantDb,
  of: { readonly handleHash: Uint8Array; readonly userId: string; readonly sessionId: string; readonly now: Date },
): Promise<TakenConsent | undefined> => {
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

const AUTHORIZE = `with ${AUTHORIZED(IN_TIME('$4'))}, recorded as (${RECORDED('authorized', '$3')}) select id from authorized`

/** As `authorizeClient`, with its events, at once. False, and nothing is written, where it is too late for them. */
export const authorizeAtOnce = async (t: TenantDb, row: NewAuthorization, remember: boolean, { rows, until }: EventsAtHand): Promise<boolean> => {
  const params = [jsonRecord(oauthAuthorizations, { ...row, tenantId: t.tenantId }), remember, auditRecords(t, rows), until.toISOString()]
  return (await atOnce(t, { text: AUTHORIZE, params, arrays: true })).length === 1
}

const WITH_CODE = `select client.*, standing.* from (${CLIENT({ id: '$2', resource: '$3::text', now: '$4' })}) client
left join (select ${STANDING('$4')}, a.id ${SOURCES('a.code_hash = $5')}) standing on true`

export type BehindCode = { readonly id: string; readonly standing: Standing }

/** The client as `findOauthClient` has it, and what is behind the code that it shows, whosever that is. */
export const findClientAndCode = async (
  t: TenantDb,
  of: { readonly clientId: string; readonly resource: string | undefined; readonly codeHash: Uint8Array; readonly now: Date },
): Promise<{ readonly client: OauthClient; readonly beside: BehindCode | undefined } | undefined> => {
  const params = [t.tenantId, of.clientId, of.resource ?? null, of.now.toISOString(), of.codeHash]
  const [row] = (await t.run({ text: WITH_CODE, params, arrays: true })) as Row[]
  const client = clientOf(t, row)
  if (row === undefined || client === undefined) return undefined
  const cells = row.slice(CLIENT_CELLS)
  const id = cells[STANDING_CELLS] as string | null
  return { client, beside: id === null ? undefined : { id, standing: standingOf(cells) } }
}

const AS_JUDGED = `and s.held = $11::text[] and s.resource is not distinct from $12 and ${IN_TIME('$14')}`
const REDEEM = `with ${REDEEMED(AS_JUDGED)}, recorded as (${RECORDED('redeemed', '$13')}) ${BEHIND_REDEEMED}`

/**
 * As `redeemCode`, with its events, at once: tells what is behind the code now, which may be another than was read before. Undefined, and nothing is written,
 * also where what the person may have is not that any more, and so not what the events say, or it is too late for them.
 */
export const redeemAtOnce = async (
  t: TenantDb,
  redemption: Redemption,
  { resource }: Pick<Standing, 'resource'>,
  { rows, until }: EventsAtHand,
): Promise<Standing | undefined> => {
  const judged = [resource?.scopes ?? [], resource?.resource ?? null]
  const params = [...redemptionOf(t, redemption), ...judged, auditRecords(t, rows), until.toISOString()]
  const [row] = (await atOnce(t, { text: REDEEM, params, arrays: true })) as Row[]
  return row === undefined ? undefined : standingOf(row)
}
