// Decisions about a principal for routes: loads the policy, builds the context, decides, and gives the reason.
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

/** The wire form: times in ISO 8601, `auth_time` also in Unix seconds. */
export type ContextRequest = {
  readonly mfa?: boolean | undefined
  readonly auth_time?: string | number | undefined
  readonly ip?: string | undefined
  readonly at?: string | number | undefined
}

/** The largest time value (ECMA-262), in milliseconds. */
const MAX_TIME_VALUE = 8.64e15
const parseTime = (value: string | number | undefined): number | undefined => {
  const at = typeof value === 'number' ? value * 1000 : value === undefined ? Number.NaN : Date.parse(value)
  return Math.abs(at) <= MAX_TIME_VALUE ? at : undefined
}

/** The context as the caller states it. */
export const contextOf = (request: ContextRequest | undefined): Context =>
  request === undefined
    ? NO_CONTEXT
    : {
        mfa: request.mfa,
        authTime: parseTime(request.auth_time),
        address: request.ip === undefined ? undefined : parseAddress(request.ip),
        at: parseTime(request.at),
      }

/** The context of the caller's own session and request. */
export const callerContext = (ctx: Pick<DecisionDeps, 'clock' | 'request'>, user: User): Context => ({
  mfa: atLeast(user.acr, 'aal2'),
  authTime: user.authTime.getTime(),
  address: parseAddress(ctx.request.address),
  at: ctx.clock.now().getTime(),
})

/** Whether the caller asks about itself. Its own session then counts, and a stated context is ignored. */
export const isSelf = (caller: { readonly kind: string; readonly userId?: string }, subject: Subject): boolean =>
  caller.kind === 'user' && subject.kind === 'user' && caller.userId === subject.id

export const NOT_GRANTED = 'No role binding grants this permission.'

/** Names the binding and role of a permit; a denial has no details. */
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

const toQuestion = (request: DecisionRequest): Question => ({
  resource: request.resource,
  action: request.action,
  scopeId: request.scopeId?.toLowerCase(),
  scopeType: request.scopeType,
})

/**
 * Decides whether a principal of the tenant may perform an action. The route must check first that the caller may ask.
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
  // Most principals are people, so service accounts are looked up second.
  const { policy, principal } = own || people.principal(user) !== undefined ? people : await ctx.policies.load(tenantId, [service])
  const context = own ? callerContext(ctx, caller) : contextOf(request.context)
  const decision = decide(policy, principal(user) ?? principal(service), toQuestion(request), context, ctx.clock.now().getTime())
  return { allowed: decision.allowed, trace: decisionTrace(decision) }
}
