// Searches for subjects, resources and actions (AuthZEN section 8). Every result is one that an evaluation would allow.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { listServiceAccounts, listUsersOfHolders } from '#db/store/policy'
import { actionsAllowed, holdersAllowed, resourcesAllowed } from '#shared/domains/decision/search'
import { AppError } from '#shared/kernel/errors'
import { parseUuid } from '#shared/kernel/ids'
import type { Caller } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { decisionContextFor, questionOf, requireDecisionAccess, subjectOf } from './question.ts'
import {
  type ActionSearch,
  type Actions,
  type ResourceSearch,
  type Resources,
  SEARCH_PAGE_SIZE,
  type SubjectSearch,
  type Subjects,
} from './search.schema.ts'

type Deps = Pick<Ctx, 'db' | 'policies' | 'clock' | 'request'>
type PageIn = { readonly token?: string | undefined; readonly limit?: number | undefined } | undefined

/** An opaque page token: the last name of the page. */
const tokenOf = (last: string): string => Buffer.from(last).toString('base64url')
const afterOf = (page: PageIn): string | undefined => (page?.token ? Buffer.from(page.token, 'base64url').toString() : undefined)
const limitOf = (page: PageIn): number => page?.limit ?? SEARCH_PAGE_SIZE

/** Cuts a page from rows that were read with one extra to detect a following page. */
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
 * Lists the principals of a type that may perform the action through their own or their groups' bindings, ordered by id.
 * @throws AppError insufficient_scope, invalid_request, unavailable
 */
export const searchSubjects = async (ctx: Deps, caller: Caller, request: z.output<typeof SubjectSearch>): Promise<z.input<typeof Subjects>> => {
  requireDecisionAccess(caller, undefined)
  const after = afterOf(request.page)
  if (after !== undefined && parseUuid(after) === undefined) throw new AppError('invalid_request', undefined, { field: 'body.page.token' })
  const { type } = request.subject
  if (type !== 'user' && type !== 'service_account') return { results: [], page: { next_token: '', count: 0 } }
  const { policy } = await ctx.policies.load(caller.tenantId, [])
  const context = decisionContextFor(ctx, caller, undefined, request.context)
  const holders = holdersAllowed(policy, type, questionOf(request.resource, request.action), context, ctx.clock.now().getTime())
  const t = forTenant(ctx.db, caller.tenantId)
  const bounds = { after, limit: limitOf(request.page) + 1 }
  const found = type === 'user' ? await listUsersOfHolders(t, holders, bounds) : await listServiceAccounts(t, holders, bounds)
  const { rows, page } = paged(request.page, found, ({ id }) => id)
  return { results: rows.map(({ id }) => ({ type, id })), page }
}

/** Lists the resources of a type on which the subject may perform the action, among those that bindings name. @throws AppError insufficient_scope, unavailable */
export const searchResources = async (ctx: Deps, caller: Caller, request: z.output<typeof ResourceSearch>): Promise<z.input<typeof Resources>> => {
  const subject = subjectOf(request.subject)
  requireDecisionAccess(caller, subject)
  const { policy, principal } = await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject])
  const context = decisionContextFor(ctx, caller, subject, request.context)
  const question = { resource: request.resource.type, action: request.action.name }
  const { ids, tenantWide } = resourcesAllowed(policy, subject && principal(subject), question, context, ctx.clock.now().getTime())
  const { rows, page } = pageOf(request.page, ids)
  return { results: rows.map((id) => ({ type: request.resource.type, id })), page, context: { tenant_wide: tenantWide } }
}

/** Lists the actions that the subject may perform on the resource. @throws AppError insufficient_scope, unavailable */
export const searchActions = async (ctx: Deps, caller: Caller, request: z.output<typeof ActionSearch>): Promise<z.input<typeof Actions>> => {
  const subject = subjectOf(request.subject)
  requireDecisionAccess(caller, subject)
  const { policy, principal } = await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject])
  const context = decisionContextFor(ctx, caller, subject, request.context)
  const question = questionOf(request.resource, { name: '' })
  const { rows, page } = pageOf(request.page, actionsAllowed(policy, subject && principal(subject), question, context, ctx.clock.now().getTime()))
  return { results: rows.map((name) => ({ name })), page }
}
