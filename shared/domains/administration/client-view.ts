// Clients in AuthSec's wire shape, without their credentials.
import type * as z from 'zod'
import type { TenantDb } from '#db/engine/tenant'
import { findRolesOfServiceAccounts, type RoleOfAccount } from '#db/store/client-list'
import type { Client } from '#db/store/clients'
import { etagOf } from '#shared/platform/http/precondition'
import type { ClientOut } from './clients.schema.ts'

type ResponseBody = z.input<typeof ClientOut>

const optional = <K extends string>(name: K, value: string | null): Partial<Record<K, string>> =>
  value === null || value === '' ? {} : ({ [name]: value } as Record<K, string>)

const toResponse = (row: Client, roles: readonly RoleOfAccount[]): ResponseBody => ({
  id: row.id,
  client_id: row.id,
  tenant_id: row.tenantId,
  project_id: row.projectId ?? '',
  owner_id: row.tenantId,
  org_id: row.tenantId,
  name: row.name,
  ...optional('email', row.email),
  status: row.status,
  tags: row.tags,
  active: row.active,
  ...optional('last_login', row.lastLoginAt?.toISOString() ?? null),
  mfa_enabled: false,
  mfa_method: [],
  mfa_verified: false,
  roles: roles.filter(({ serviceAccountId }) => serviceAccountId === row.serviceAccountId).map(({ id, name }) => ({ id, name })),
  ...optional('service_account_id', row.serviceAccountId),
  ...optional('hydra_client_id', row.hydraClientId),
  oidc_enabled: row.oidcEnabled,
  client_type: row.clientType,
  ...optional('agent_type', row.agentType),
  ...optional('spiffe_id', row.spiffeId),
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
  ...optional('deleted_at', row.deletedAt?.toISOString() ?? null),
  ...optional('description', row.description),
})

/** Clients of one tenant, with the roles of their service accounts. */
export const toClientResponses = async (t: TenantDb, rows: readonly Client[]): Promise<ResponseBody[]> => {
  const accounts = rows.flatMap(({ serviceAccountId }) => (serviceAccountId === null ? [] : [serviceAccountId]))
  const roles = await findRolesOfServiceAccounts(t, accounts)
  return rows.map((row) => toResponse(row, roles))
}

export const toClientResponse = async (t: TenantDb, row: Client): Promise<ResponseBody> => {
  const [one] = await toClientResponses(t, [row])
  if (one === undefined) throw new Error('a client without a response')
  return one
}

/** What the audit log keeps of a client, before and after a change. */
export const clientSnapshot = (row: Client): Readonly<Record<string, unknown>> => ({
  name: row.name,
  email: row.email,
  status: row.status,
  active: row.active,
  tags: row.tags,
  hydra_client_id: row.hydraClientId,
  oidc_enabled: row.oidcEnabled,
})

/** The ETag over what a change can change: neither secrets nor the last sign-in. */
export const clientTag = (row: Client): string => etagOf(clientSnapshot(row))
