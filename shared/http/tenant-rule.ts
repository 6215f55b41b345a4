// Contract 1.4: the acting tenant is the token's. A tenant id that a caller names is accepted for compatibility and must be the token's.
import { SYSTEM_TENANT } from '#db/tenant'
import { AppError } from '../errors.ts'
import type { Caller } from './principal.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const NAMES = ['tenant_id', 'tenantId', 'workspace_id', 'workspaceId']

/** A tenant that a part names and that is not this one. Anything but a UUID names no tenant. */
const namedBeside = (tenantId: string, part: unknown): string | undefined => {
  if (typeof part !== 'object' || part === null) return undefined
  for (const name of NAMES) {
    const value = (part as Readonly<Record<string, unknown>>)[name]
    if (typeof value === 'string' && UUID.test(value) && value.toLowerCase() !== tenantId) return value.toLowerCase()
  }
  return undefined
}

/**
 * Whether the person administers the platform's tenants, by a permission that exists in the system tenant alone. The others of that resource do not stand for
 * it: whoever runs migrations or keeps the providers has no business in a company.
 */
export const isPlatformAdministrator = (user: Caller): boolean => user.tenantId === SYSTEM_TENANT && user.permissions.has('platform:tenants')

/**
 * Another tenant's id in path, query, body or header is refused without any look-up, whoever it belongs to. A platform administrator may name one; it is
 * answered, for the record.
 * @throws AppError tenant_mismatch
 */
export const foreignTenant = (user: Caller, parts: readonly unknown[]): string | undefined => {
  let foreign: string | undefined
  for (const part of parts) foreign ??= namedBeside(user.tenantId, part)
  if (foreign !== undefined && !isPlatformAdministrator(user)) throw new AppError('tenant_mismatch')
  return foreign
}
