// The dry run of a change of roles or bindings: what people would gain or lose. Nothing is written.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { listServiceAccounts, listUsersOfHolders, readPolicy } from '#db/store/policy'
import { parseConditions } from '#shared/domains/decision/conditions'
import type { Principal } from '#shared/domains/decision/decide'
import {
  comparePolicies,
  type GrantEffect,
  type PolicyEdit,
  type PreparedComparison,
  prepareComparison,
  UnknownTarget,
} from '#shared/domains/decision/what-if'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { Effects, WhatIf } from './what-if.schema.ts'

type Out = z.input<typeof Effects>
type Input = z.output<typeof WhatIf>['changes'][number]

const MAX_EXAMINED = 1000
const MAX_LISTED = 1000

const changeOf = (request: Input, at: number): PolicyEdit => {
  switch (request.op) {
    case 'bind':
      return {
        op: 'bind',
        roleId: request.role_id,
        holderKind: request.subject.type,
        holderId: request.subject.id,
        scope: request.scope,
        conditions: parseConditions(request.conditions, `body.changes.${at}.conditions`),
        expiresAt: request.expires_at === undefined ? undefined : new Date(request.expires_at),
      }
    case 'unbind':
      return { op: 'unbind', bindingId: request.binding_id }
    case 'set_role_permissions':
      return { op: 'set_role_permissions', roleId: request.role_id, permissions: request.permissions }
    case 'delete_role':
      return { op: 'delete_role', roleId: request.role_id }
  }
}

const toResponse = ({ principal, grant }: GrantEffect): Out['gains'][number] => ({
  subject: { type: principal.kind, id: principal.id },
  permission: `${grant.resource}:${grant.action}`,
  scope: grant.scopeType === undefined || grant.scopeId === undefined ? null : { type: grant.scopeType, id: grant.scopeId },
  conditional: grant.conditions !== '',
  expires_at: Number.isFinite(grant.expiresAt) ? new Date(grant.expiresAt).toISOString() : null,
})

const prepared = (caller: User, rows: Parameters<typeof prepareComparison>[1], changes: readonly PolicyEdit[]): PreparedComparison => {
  try {
    return prepareComparison(caller.tenantId, rows, changes)
  } catch (error) {
    if (!(error instanceof UnknownTarget)) throw error
    const field = `body.changes.${error.at}`
    throw new AppError('invalid_request', `${field}: ${error.message}`, { field })
  }
}

/** Compares the current policy with the policy after the changes. @throws AppError invalid_request, not_found */
export const whatIf = async (ctx: Pick<Ctx, 'db' | 'clock'>, caller: User, { changes }: z.output<typeof WhatIf>): Promise<Out> => {
  const edits = changes.map(changeOf)
  const t = forTenant(ctx.db, caller.tenantId)
  const rows = await readPolicy(t)
  if (rows === undefined) throw new AppError('not_found')
  const both = prepared(caller, rows, edits)
  const idsOf = (kind: string): string[] => both.holders.flatMap((holder) => (holder.kind === kind ? [holder.id] : []))
  const page = { after: undefined, limit: MAX_EXAMINED + 1 }
  const people = await listUsersOfHolders(t, { ids: idsOf('user'), groups: idsOf('group') }, page)
  const services = await listServiceAccounts(t, { ids: idsOf('service_account'), groups: idsOf('group') }, page)
  const concerned: readonly Principal[] = [...people, ...services]
  const { gains, losses, examined } = comparePolicies(both, concerned.slice(0, MAX_EXAMINED), ctx.clock.now().getTime())
  return {
    policy_version: rows.version,
    examined,
    gains: gains.slice(0, MAX_LISTED).map(toResponse),
    losses: losses.slice(0, MAX_LISTED).map(toResponse),
    truncated: concerned.length > examined || Math.max(gains.length, losses.length) > MAX_LISTED,
  }
}
