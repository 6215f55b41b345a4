// What a client is recognised by, before its tenant is known, and as whom it acts. Written by hand, prepared by the driver (hot path).
import { type AnyScope, asTenantId, type TenantDb, type TenantId } from '../engine/tenant.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'

export type ClientAuthenticationSecrets = {
  readonly tenantId: TenantId
  readonly active: boolean
  /** SHA-256 of the secret, and of the one before the last rotation while that is still good. */
  readonly secretHash: Uint8Array | undefined
  readonly previousSecretHash: Uint8Array | undefined
  readonly previousValidUntil: Date | undefined
}

const SECRETS = `select tenant_id, active, secret_hash, previous_secret_hash, previous_valid_until from authsec.client_directory where client_id = $1`

export const findClientSecrets = async (d: AnyScope, clientId: string): Promise<ClientAuthenticationSecrets | undefined> => {
  const [row] = (await d.run({ text: SECRETS, params: [clientId], arrays: true })) as unknown[][]
  if (row === undefined) return undefined
  return {
    tenantId: asTenantId(row[0] as string),
    active: row[1] as boolean,
    secretHash: (row[2] as Uint8Array | null) ?? undefined,
    previousSecretHash: (row[3] as Uint8Array | null) ?? undefined,
    previousValidUntil: row[4] === null ? undefined : new Date(row[4] as string),
  }
}

const ACTING = `
select c.service_account_id
from authsec.clients c
join authsec.tenants t on t.tenant_id = c.tenant_id and t.status = 'active'
join authsec.service_accounts s on s.tenant_id = c.tenant_id and s.id = c.service_account_id and s.active
${JOIN_AGENT}
where c.tenant_id = $1 and c.id = $2 and c.active and c.deleted_at is null and ${AGENT_AUTHORIZED('$3')}
  and not c.is_public and coalesce(c.token_endpoint_auth_method, 'client_secret_basic') = 'client_secret_basic'`

/**
 * The service account that an active client of an active tenant acts as, if that is active too; of an agent, if the agent may go on. None of a client that is
 * registered to prove itself in another way than HTTP Basic (RFC 7591 section 2), whatever secret it may still have.
 */
export const findActingServiceAccount = async (t: TenantDb, clientId: string, now: Date): Promise<string | undefined> => {
  const [row] = (await t.run({ text: ACTING, params: [t.tenantId, clientId, now.toISOString()], arrays: true })) as unknown[][]
  return row?.[0] as string | undefined
}
