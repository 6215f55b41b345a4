// A decision about somebody, for the doors that ask: loads, builds the context by the rules of who asks, decides, and says why.
import type { TenantId } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import type { User } from '#shared/platform/principals/principal'
import { atLeast } from '#shared/platform/tokens/acr'
import type { Binding } from './compile.ts'
import { type Context, NO_CONTEXT } from './conditions.ts'
import { type Decision, decide, type Question } from './decide.ts'
import { parseAddress } from './ip-range.ts'
import type { Subject } from './policies.ts'

export type Deps = Pick<RequestCtx, 'policies' | 'clock' | 'request'>

/** As a caller writes it: moments in ISO 8601, `auth_time` also in Unix seconds. */
export type AskedContext = {
  readonly mfa?: boolean | undefined
  readonly auth_time?: string | number | undefined
  readonly ip?: string | undefined
  readonly at?: string | number | undefined
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** In the one spelling, or undefined for what is no UUID and so nobody. */
export const uuidOf = (text: string | undefined): string | undefined => {
  const id = text?.toLowerCase()
  return id !== undefined && UUID.test(id) ? id : undefined
}

/** The last moment that a clock of ours can show (ECMA-262, time values). */
const LAST_MOMENT = 8.64e15
const momentOf = (value: string | number | undefined): number | undefined => {
  const at = typeof value === 'number' ? value * 1000 : value === undefined ? Number.NaN : Date.parse(value)
  return Math.abs(at) <= LAST_MOMENT ? at : undefined
}

/** What another's word says of an access. */
export const contextOf = (asked: AskedContext | undefined): Context =>
  asked === undefined
    ? NO_CONTEXT
    : {
        mfa: asked.mfa,
        authTime: momentOf(asked.auth_time),
        address: asked.ip === undefined ? undefined : parseAddress(asked.ip),
        at: momentOf(asked.at),
      }

/** What we know ourselves of an access: the caller's own session and this request. */
export const ownContext = (ctx: Pick<Deps, 'clock' | 'request'>, user: User): Context => ({
  mfa: atLeast(user.acr, 'aal2'),
  authTime: user.authTime.getTime(),
  address: parseAddress(ctx.request.address),
  at: ctx.clock.now().getTime(),
})

/** Whoever asks about himself is judged by his own session, whatever context he writes. */
export const isOneself = (caller: { readonly kind: string; readonly userId?: string }, subject: Subject): boolean =>
  caller.kind === 'user' && subject.kind === 'user' && caller.userId === subject.id

export const NOT_GRANTED = 'No role binding grants this permission.'

/** Names binding and role; of a denial only that it is one. */
export const traceOf = ({ binding }: Decision): string => (binding === undefined ? NOT_GRANTED : grantedBy(binding))
const grantedBy = ({ id, role }: Binding): string => `Granted by role binding ${id} (role ${role.name}).`

export type Asked = {
  /** A user or a service account; ids are unique over both. */
  readonly principalId: string
  readonly resource: string
  readonly action: string
  readonly scopeId?: string | undefined
  readonly scopeType?: string | undefined
  readonly context?: AskedContext | undefined
}

const questionOf = (asked: Asked): Question => ({
  resource: asked.resource,
  action: asked.action,
  scopeId: asked.scopeId?.toLowerCase(),
  scopeType: asked.scopeType,
})

/**
 * Whether a principal of the tenant may do something. Whether the caller may ask is the door's to decide, before.
 * @throws AppError unavailable
 */
export const decideFor = async (
  ctx: Deps,
  tenantId: TenantId,
  asked: Asked,
  caller: User,
): Promise<{ readonly allowed: boolean; readonly trace: string }> => {
  const id = uuidOf(asked.principalId)
  if (id === undefined) return { allowed: false, trace: NOT_GRANTED }
  const user: Subject = { kind: 'user', id }
  const service: Subject = { kind: 'service_account', id }
  const own = isOneself(caller, user)
  const people = await ctx.policies.load(tenantId, [user])
  // Most principals are people; who is none is looked for among service accounts.
  const { policy, principal } = own || people.principal(user) !== undefined ? people : await ctx.policies.load(tenantId, [service])
  const context = own ? ownContext(ctx, caller) : contextOf(asked.context)
  const decision = decide(policy, principal(user) ?? principal(service), questionOf(asked), context, ctx.clock.now().getTime())
  return { allowed: decision.allowed, trace: traceOf(decision) }
}
