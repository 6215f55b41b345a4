// A decision about somebody, for the doors that ask: loads, builds the context by the rules of who asks, decides, and says why.

import type { TenantId } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { parseUuid } from '#shared/kernel/ids'
import type { User } from '#shared/platform/principals/principal'
import { atLeast } from '#shared/platform/tokens/acr'
import type { Binding } from './compile.ts'
import { type Context, NO_CONTEXT } from './conditions.ts'
import { type Decision, decide, type Question } from './decide.ts'
import { parseAddress } from './ip-range.ts'
import type { Subject } from './policies.ts'

export type DecisionDeps = Pick<RequestCtx, 'policies' | 'clock' | 'request'>

/** As a caller writes it: moments in ISO 8601, `auth_time` also in Unix seconds. */
export type ContextRequest = {
  readonly mfa?: boolean | undefined
  readonly auth_time?: string | number | undefined
  readonly ip?: string | undefined
  readonly at?: string | number | undefined
}

/** The last moment that a clock of ours can show (ECMA-262, time values). */
const LAST_MOMENT = 8.64e15
const momentOf = (value: string | number | undefined): number | undefined => {
  const at = typeof value === 'number' ? value * 1000 : value === undefined ? Number.NaN : Date.parse(value)
  return Math.abs(at) <= LAST_MOMENT ? at : undefined
}

/** What another's word says of an access. */
export const contextOf = (request: ContextRequest | undefined): Context =>
  request === undefined
    ? NO_CONTEXT
    : {
        mfa: request.mfa,
        authTime: momentOf(request.auth_time),
        address: request.ip === undefined ? undefined : parseAddress(request.ip),
        at: momentOf(request.at),
      }

/** What we know ourselves of an access: the caller's own session and this request. */
export const callerContext = (ctx: Pick<DecisionDeps, 'clock' | 'request'>, user: User): Context => ({
  mfa: atLeast(user.acr, 'aal2'),
  authTime: user.authTime.getTime(),
  address: parseAddress(ctx.request.address),
  at: ctx.clock.now().getTime(),
})

/** Whoever asks about himself is judged by his own session, whatever context he writes. */
export const isSelf = (caller: { readonly kind: string; readonly userId?: string }, subject: Subject): boolean =>
  caller.kind === 'user' && subject.kind === 'user' && caller.userId === subject.id

export const NOT_GRANTED = 'No role binding grants this permission.'

/** Names binding and role; of a denial only that it is one. */
export const decisionTrace = ({ binding }: Decision): string => (binding === undefined ? NOT_GRANTED : grantedBy(binding))
const grantedBy = ({ id, role }: Binding): string => `Granted by role binding ${id} (role ${role.name}).`

export type DecisionRequest = {
  /** A user or a service account; ids are unique over both. */
  readonly principalId: string
  readonly resource: string
  readonly action: string
  readonly scopeId?: string | undefined
  readonly scopeType?: string | undefined
  readonly context?: ContextRequest | undefined
}

const questionOf = (request: DecisionRequest): Question => ({
  resource: request.resource,
  action: request.action,
  scopeId: request.scopeId?.toLowerCase(),
  scopeType: request.scopeType,
})

/**
 * Whether a principal of the tenant may do something. Whether the caller may ask is the door's to decide, before.
 * @throws AppError unavailable
 */
export const decideFor = async (
  ctx: DecisionDeps,
  tenantId: TenantId,
  request: DecisionRequest,
  caller: User,
): Promise<{ readonly allowed: boolean; readonly trace: string }> => {
  const id = parseUuid(request.principalId)
  if (id === undefined) return { allowed: false, trace: NOT_GRANTED }
  const user: Subject = { kind: 'user', id }
  const service: Subject = { kind: 'service_account', id }
  const own = isSelf(caller, user)
  const people = await ctx.policies.load(tenantId, [user])
  // Most principals are people; who is none is looked for among service accounts.
  const { policy, principal } = own || people.principal(user) !== undefined ? people : await ctx.policies.load(tenantId, [service])
  const context = own ? callerContext(ctx, caller) : contextOf(request.context)
  const decision = decide(policy, principal(user) ?? principal(service), questionOf(request), context, ctx.clock.now().getTime())
  return { allowed: decision.allowed, trace: decisionTrace(decision) }
}
