// The acting tenant is the token's. A tenant id that a caller names is accepted for compatibility and must be the token's.

import { SYSTEM_TENANT } from '#db/engine/tenant'
import { AppError } from '#shared/kernel/errors'
import { parseUuid } from '#shared/kernel/ids'
import type { Caller } from '#shared/platform/principals/principal'

const NAMES = ['tenant_id', 'tenantId', 'workspace_id', 'workspaceId']

/** The request's parts as sent. */
export type RequestParts = { readonly path: unknown; readonly query: unknown; readonly body: unknown; readonly headers: unknown }

/** The tenant that a member names. Text that is not a UUID names no tenant. */
const namedBy = (part: unknown, name: string): string | undefined => {
  if (typeof part !== 'object' || part === null) return undefined
  const value = (part as Readonly<Record<string, unknown>>)[name]
  return parseUuid(value)
}

/**
 * Whether the person administers the platform's tenants, by a permission that exists only in the system tenant. Other `platform:` permissions do not
 * imply it: running migrations or maintaining providers does not require access to a company.
 */
export const isPlatformAdministrator = (user: Caller): boolean => user.tenantId === SYSTEM_TENANT && user.permissions.has('platform:tenants')

/**
 * Refuses another tenant's id in path, query, body or header without a look-up. A platform administrator may name one other tenant where the route
 * reads it (`actsIn`); it is returned for the audit log. Named anywhere else, the route would ignore it and act in the platform's own tenant.
 * @throws AppError tenant_mismatch
 */
export const foreignTenant = (user: Caller, sent: RequestParts, actsIn: string | undefined): string | undefined => {
  let foreign: string | undefined
  let acting: string | undefined
  for (const [part, members] of Object.entries(sent)) {
    for (const name of NAMES) {
      const named = namedBy(members, name)
      if (named === undefined || named === user.tenantId) continue
      if (!isPlatformAdministrator(user) || (foreign ?? named) !== named) throw new AppError('tenant_mismatch')
      foreign = named
      if (`${part}.${name}` === actsIn) acting = named
    }
  }
  if (foreign !== acting) throw new AppError('tenant_mismatch')
  return foreign
}
