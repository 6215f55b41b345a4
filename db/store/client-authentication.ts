// What a client is recognised by, before its tenant is known, and as whom it acts. Written by hand, prepared by the driver (hot path).
import { column, columns, moment, optional, type RowOf, statement } from '../engine/statement.ts'
import type { AnyScope, TenantDb, TenantId } from '../engine/tenant.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'

const SECRETS = columns({
  tenantId: column<TenantId>('tenant_id'),
  active: column<boolean>('active'),
  /** SHA-256 of the secret, and of the one before the last rotation while that is still good. */
  secretHash: optional(column<Uint8Array>('secret_hash')),
  previousSecretHash: optional(column<Uint8Array>('previous_secret_hash')),
  previousValidUntil: optional(moment('previous_valid_until')),
})
export type ClientAuthenticationSecrets = RowOf<typeof SECRETS>

const FIND_SECRETS = statement<{ clientId: string }>(`select ${SECRETS.list} from authsec.client_directory where client_id = :clientId`).returning(
  SECRETS,
)

export const findClientSecrets = (d: AnyScope, clientId: string): Promise<ClientAuthenticationSecrets | undefined> =>
  FIND_SECRETS.first(d, { clientId })

const ACTING = columns({ serviceAccountId: column<string>('c.service_account_id') })
const FIND_ACTING = statement<{ clientId: string; now: Date }>(`
select ${ACTING.list}
from authsec.clients c
join authsec.tenants t on t.tenant_id = c.tenant_id and t.status = 'active'
join authsec.service_accounts s on s.tenant_id = c.tenant_id and s.id = c.service_account_id and s.active
${JOIN_AGENT}
where c.tenant_id = :tenantId and c.id = :clientId and c.active and c.deleted_at is null and ${AGENT_AUTHORIZED(':now')}
  and not c.is_public and coalesce(c.token_endpoint_auth_method, 'client_secret_basic') = 'client_secret_basic'`).returning(ACTING)

/**
 * The service account that an active client of an active tenant acts as, if that is active too; of an agent, if the agent may go on. None of a client that is
 * registered to prove itself in another way than HTTP Basic (RFC 7591 section 2), whatever secret it may still have.
 */
export const findActingServiceAccount = async (t: TenantDb, clientId: string, now: Date): Promise<string | undefined> =>
  (await FIND_ACTING.first(t, { clientId, now }))?.serviceAccountId
