// The acting tenant is the token's. A tenant id that a caller names is accepted for compatibility and must be the token's.

import { SYSTEM_TENANT } from '#db/engine/tenant'
import { AppError } from '#shared/kernel/errors'
import { parseUuid } from '#shared/kernel/ids'
import type { Caller } from '#shared/platform/principals/principal'

const NAMES = ['tenant_id', 'tenantId', 'workspace_id', 'workspaceId']

/** What a caller sent, by its parts. */
export type RequestParts = { readonly path: unknown; readonly query: unknown; readonly body: unknown; readonly headers: unknown }

/** The tenant that a member of a part names. Anything but a UUID names no tenant. */
const namedBy = (part: unknown, name: string): string | undefined => {
  if (typeof part !== 'object' || part === null) return undefined
  const value = (part as Readonly<Record<string, unknown>>)[name]
  return parseUuid(value)
}

/**
 * Whether the person administers the platform's tenants, by a permission that exists in the system tenant alone. The others of that resource do not stand for
 * it: whoever runs migrations or keeps the providers has no business in a company.
 */
export const isPlatformAdministrator = (user: Caller): boolean => user.tenantId === SYSTEM_TENANT && user.permissions.has('platform:tenants')

/**
 * Another tenant's id in path, query, body or header is refused without any look-up, whoever it belongs to. A platform administrator may name one where the
 * route looks for it (`actsIn`), and no second one; it is answered, for the record. Named elsewhere the route would pass over it and act in the platform's.
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
