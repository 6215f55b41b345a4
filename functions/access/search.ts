// Searches: who may, on what, which actions (AuthZEN section 8). Whatever is found, an evaluation would allow.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { listServiceAccounts, listUsersOfHolders } from '#db/store/policy'
import { uuidOf } from '#shared/domains/decision/decide-for'
import { actionsAllowed, holdersAllowed, resourcesAllowed } from '#shared/domains/decision/search'
import { AppError } from '#shared/kernel/errors'
import type { Caller } from '#shared/platform/principals/principal'
import { judgedBy, questionOf, requireMayAsk, subjectOf } from './asking.ts'
import type { Ctx } from './group.ts'
import { type ActionSearch, type Actions, PAGE, type ResourceSearch, type Resources, type SubjectSearch, type Subjects } from './search.schema.ts'

type Deps = Pick<Ctx, 'db' | 'policies' | 'clock' | 'request'>
type PageIn = { readonly token?: string | undefined; readonly limit?: number | undefined } | undefined

/** The last name of a page, opaquely. */
const tokenOf = (last: string): string => Buffer.from(last).toString('base64url')
const afterOf = (page: PageIn): string | undefined => (page?.token ? Buffer.from(page.token, 'base64url').toString() : undefined)
const limitOf = (page: PageIn): number => page?.limit ?? PAGE

/** One page of what was read one beyond it. */
const paged = <T>(
  page: PageIn,
  rows: readonly T[],
  nameOf: (row: T) => string,
): { rows: readonly T[]; page: { next_token: string; count: number } } => {
  const kept = rows.slice(0, limitOf(page))
  const last = kept.at(-1)
  return { rows: kept, page: { next_token: last !== undefined && rows.length > kept.length ? tokenOf(nameOf(last)) : '', count: kept.length } }
}
const pageOf = (page: PageIn, sorted: readonly string[]) => {
  const after = afterOf(page)
  return paged(page, after === undefined ? sorted : sorted.filter((name) => name > after), (name) => name)
}

/**
 * Everybody of a kind who may do it, through bindings of their own or of their groups, by id.
 * @throws AppError insufficient_scope, invalid_request, unavailable
 */
export const searchSubjects = async (ctx: Deps, caller: Caller, asked: z.output<typeof SubjectSearch>): Promise<z.input<typeof Subjects>> => {
  requireMayAsk(caller, undefined)
  const after = afterOf(asked.page)
  if (after !== undefined && uuidOf(after) === undefined) throw new AppError('invalid_request', undefined, { field: 'body.page.token' })
  const { type } = asked.subject
  if (type !== 'user' && type !== 'service_account') return { results: [], page: { next_token: '', count: 0 } }
  const { policy } = await ctx.policies.load(caller.tenantId, [])
  const context = judgedBy(ctx, caller, undefined, asked.context)
  const holders = holdersAllowed(policy, type, questionOf(asked.resource, asked.action), context, ctx.clock.now().getTime())
  const t = forTenant(ctx.db, caller.tenantId)
  const bounds = { after, limit: limitOf(asked.page) + 1 }
  const found = type === 'user' ? await listUsersOfHolders(t, holders, bounds) : await listServiceAccounts(t, holders, bounds)
  const { rows, page } = paged(asked.page, found, ({ id }) => id)
  return { results: rows.map(({ id }) => ({ type, id })), page }
}

/** The resources of a type on which the subject may do it, of those that bindings name. @throws AppError insufficient_scope, unavailable */
export const searchResources = async (ctx: Deps, caller: Caller, asked: z.output<typeof ResourceSearch>): Promise<z.input<typeof Resources>> => {
  const subject = subjectOf(asked.subject)
  requireMayAsk(caller, subject)
  const { policy, principal } = await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject])
  const context = judgedBy(ctx, caller, subject, asked.context)
  const question = { resource: asked.resource.type, action: asked.action.name }
  const { ids, tenantWide } = resourcesAllowed(policy, subject && principal(subject), question, context, ctx.clock.now().getTime())
  const { rows, page } = pageOf(asked.page, ids)
  return { results: rows.map((id) => ({ type: asked.resource.type, id })), page, context: { tenant_wide: tenantWide } }
}

/** The actions that the subject may perform on the resource. @throws AppError insufficient_scope, unavailable */
export const searchActions = async (ctx: Deps, caller: Caller, asked: z.output<typeof ActionSearch>): Promise<z.input<typeof Actions>> => {
  const subject = subjectOf(asked.subject)
  requireMayAsk(caller, subject)
  const { policy, principal } = await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject])
  const context = judgedBy(ctx, caller, subject, asked.context)
  const question = questionOf(asked.resource, { name: '' })
  const { rows, page } = pageOf(asked.page, actionsAllowed(policy, subject && principal(subject), question, context, ctx.clock.now().getTime()))
  return { results: rows.map((name) => ({ name })), page }
}
