// Statements of the code flow that read or write several tables at once, so that each step takes one round trip (hot path). oauth-code-flow.test.ts compares
// them with the single statements.
import { column, columns, optional, type RowOf, statement } from '../engine/statement.ts'
import type { TenantDb } from '../engine/tenant.ts'
import { oauthRequests } from '../tables/oauth.ts'
import { FROM_LOOKS, PAGE_BRANDING, type PageBranding } from './branding.ts'
import { jsonRecord } from './json-records.ts'
import { type AuthorizationParameters, CONSENT, INSERT_REQUEST, type NewAuthorizationRequest } from './oauth-authorizations.ts'
import { type ClientQuery, FROM_CLIENT, SCOPES_OF_USER, SELECT_CLIENT } from './oauth-clients.ts'
import { AUTHORIZATION_STATE, AUTHORIZATION_STATE_SOURCES } from './oauth-families.ts'

const FIND_CLIENT = FROM_CLIENT(':clientId', ':resource::text')

/** The person's rights and consents: at the requested resource server, and for the identity scopes. */
const CONSENTS = columns({ atServer: CONSENT(':userId::uuid', 'c.id', 'r.id'), ofIdentity: CONSENT(':userId::uuid', 'c.id', 'null::uuid') })
export type ConsentStates = RowOf<typeof CONSENTS>
const WITH_CONSENT = columns({ client: SELECT_CLIENT, beside: CONSENTS })
const FIND_WITH_CONSENT = statement<ClientQuery & { readonly userId: string }>(`select ${WITH_CONSENT.list} ${FIND_CLIENT}`).returning(WITH_CONSENT)

/** The client as `findOauthClient` returns it, and the person's rights through it. */
export const findClientAndConsent = (t: TenantDb, of: ClientQuery & { readonly userId: string }): Promise<RowOf<typeof WITH_CONSENT> | undefined> =>
  FIND_WITH_CONSENT.first(t, of)

const KEEP = statement<{ record: string }>(`with kept as (${INSERT_REQUEST}) select ${PAGE_BRANDING.list} ${FROM_LOOKS}`).returning(PAGE_BRANDING)

/** As `insertAuthorizationRequest`, for a page: also returns what the page displays. */
export const storeRequestForPage = async (t: TenantDb, row: NewAuthorizationRequest): Promise<PageBranding> =>
  (await KEEP.first(t, { record: jsonRecord(oauthRequests, { ...row, tenantId: t.tenantId }) })) ?? { tenant: undefined, branding: undefined }

const TAKEN = columns({
  parameters: column<AuthorizationParameters>('taken.parameters'),
  client: optional(SELECT_CLIENT),
  /** The person's rights at the requested resource server. */
  held: column<readonly string[]>(`coalesce(found.held, '{}')`),
})
export type ConsumedConsent = RowOf<typeof TAKEN>
type ConsentAnswer = { readonly handleHash: Uint8Array; readonly userId: string; readonly sessionId: string; readonly now: Date }
const TAKE = statement<ConsentAnswer>(`
with taken as (
  update authsec.oauth_requests q set used_at = :now
  where q.tenant_id = :tenantId and q.handle_hash = :handleHash and q.kind = 'consent' and q.used_at is null and q.expires_at > :now
    and q.user_id = :userId and q.session_id = :sessionId and q.browser_hash is null
  returning q.client_id, q.parameters)
select taken.parameters, ${SELECT_CLIENT.from('found')}, coalesce(found.held, '{}') from taken left join lateral (
  select ${SELECT_CLIENT.list}, ${SCOPES_OF_USER('r.id', ':userId', ':now')} as held
  ${FROM_CLIENT('taken.client_id', `(taken.parameters ->> 'resource')`)}) found on true`).returning(TAKEN)

/** Consumes the consent request of our own page in that session, with the current client. Of several concurrent answers exactly one gets it. */
export const consumeConsent = (t: TenantDb, of: ConsentAnswer): Promise<ConsumedConsent | undefined> => TAKE.first(t, of)

const WITH_CODE = columns({ client: SELECT_CLIENT, beside: optional(AUTHORIZATION_STATE) })
const FIND_WITH_CODE = statement<ClientQuery & { readonly codeHash: Uint8Array }>(`
select ${SELECT_CLIENT.from('client')}, ${AUTHORIZATION_STATE.from('state')} from (select ${SELECT_CLIENT.list} ${FIND_CLIENT}) client
left join (select ${AUTHORIZATION_STATE.list} ${AUTHORIZATION_STATE_SOURCES('a.code_hash = :codeHash')}) state on true`).returning(WITH_CODE)

/** The client as `findOauthClient` returns it, and the authorization of the presented code, whichever client it belongs to. */
export const findClientAndCode = (t: TenantDb, of: ClientQuery & { readonly codeHash: Uint8Array }): Promise<RowOf<typeof WITH_CODE> | undefined> =>
  FIND_WITH_CODE.first(t, of)
