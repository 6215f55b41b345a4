// Import of people: idempotent by external id or address; each row is applied completely or not at all and gets its own result. A dry run is rolled back.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantTx, withSavepoint } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { endLoginTransactions } from '#db/store/login-transactions'
import { findUsernames, insertUsers, lockMatches } from '#db/store/people'
import { countUsage, useQuota } from '#db/store/tenants'
import type { NewUser } from '#db/store/users'
import { requireTenant } from '#shared/domains/administration/people'
import { applyProfile } from '#shared/domains/administration/profile'
import type { GrantorPermissions } from '#shared/domains/authority/access-change'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { switchActive } from '#shared/domains/authority/person-status'
import { quotaOf } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent, recordEvents } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { Imported, ImportQuery, RowResult } from './import.schema.ts'
import { type ImportedRow, isRefused, type RowEffect, readRows, rowEffect } from './import-rows.ts'

const ROWS_A_STEP = 250
/** A request has 29 seconds; rows not started by then wait for the next request. */
const SECONDS = 20

type Step = { readonly ctx: Ctx; readonly caller: User; readonly t: TenantTx; readonly grantable: GrantorPermissions }

const refusal = (line: number, error: unknown): RowResult => {
  const known = isUniqueViolation(error) ? new AppError('conflict', 'The address or external id was taken by a concurrent change.') : error
  if (!(known instanceof AppError) || known.status >= 500) throw error
  const field = known.details.field?.replace(/^body\./, '')
  return { line, result: 'refused', code: known.code, message: known.message, ...(field === undefined ? {} : { field }) }
}

const newRow = (ctx: Ctx, clientId: string | undefined, row: ImportedRow): NewUser => {
  const at = ctx.clock.now()
  return {
    id: ctx.random.id(),
    clientId: clientId ?? null,
    email: row.email,
    name: row.name ?? '',
    username: row.username ?? null,
    avatarUrl: row.avatar_url ?? null,
    externalId: row.external_id ?? null,
    active: row.active ?? true,
    provider: 'custom',
    announcedAt: at,
    validFrom: at,
    createdAt: at,
    updatedAt: at,
  }
}

/** Creates all new people of a step in a few statements. Events contain only ids; personal data stays in the row, where it can be erased. */
const create = async ({ ctx, caller, t }: Step, rows: readonly ImportedRow[]): Promise<RowResult[]> => {
  const taken = await findUsernames(
    t,
    rows.flatMap(({ username }) => username ?? []),
  )
  const free = rows.filter(({ username }) => username === undefined || !taken.has(username))
  const clashes = rows
    .filter((row) => !free.includes(row))
    .map(({ line }) => refusal(line, new AppError('username_taken', undefined, { field: 'username' })))
  if (!(await useQuota(t, 'users', quotaOf((await requireTenant(t)).settings, 'users'), free.length)))
    return [...clashes, ...free.map(({ line }) => refusal(line, new AppError('quota_exceeded')))]
  const clientId = (await findDefaultClient(t))?.id
  const people = free.map((row) => ({ line: row.line, user: newRow(ctx, clientId, row) }))
  const added = await insertUsers(
    t,
    people.map(({ user }) => user),
  )
  await countUsage(t, 'users', added.size - people.length)
  const made = people.filter(({ user }) => added.has(user.id))
  await recordEvents(
    t,
    ctx,
    made.map(({ user, line }) => ({
      event: 'user.created',
      actor: byUser(caller),
      target: { type: 'user', id: user.id },
      // Sealed under the caller's key: it contains the caller's address and no data of the new person, and a key for each of ten thousand people would be slow.
      subjectId: caller.userId,
      after: { source: 'import', line },
    })),
  )
  const late = people
    .filter(({ user }) => !added.has(user.id))
    .map(({ line }) => refusal(line, new AppError('conflict', 'The address was taken by a concurrent change.')))
  return [...clashes, ...late, ...made.map(({ user, line }): RowResult => ({ line, result: 'created', user_id: user.id }))]
}

/** Updates a person. Mailed links become invalid if the address or access is lost; otherwise, also for a refused row, they stay valid. */
const update = async (
  { ctx, caller, t, grantable }: Step,
  line: number,
  { user, change, active }: Extract<RowEffect, { does: 'update' }>,
): Promise<RowResult> => {
  try {
    if (active !== undefined && !caller.permissions.has('users:active'))
      throw new AppError('insufficient_scope', 'The permission users:active is missing.', { field: 'active' })
    await withSavepoint(t, async () => {
      if (active === false || change.email !== user.email) await endLoginTransactions(t, user.id, ctx.clock.now())
      await applyProfile(t, ctx, caller, grantable, user, change)
      if (active !== undefined) await switchActive(t, ctx, caller, grantable, user, active)
    })
    return { line, result: 'updated', user_id: user.id }
  } catch (error) {
    return { ...refusal(line, error), user_id: user.id }
  }
}

const keysOf = (rows: readonly ImportedRow[]) => [rows.map(({ email }) => email), rows.flatMap(({ external_id }) => external_id ?? [])] as const

const runStep = async (step: Step, rows: readonly ImportedRow[]): Promise<RowResult[]> => {
  const people = await lockMatches(step.t, ...keysOf(rows))
  const [results, fresh]: [RowResult[], ImportedRow[]] = [[], []]
  for (const row of rows) {
    const meaning = rowEffect(row, people)
    if (meaning.does === 'create') fresh.push(row)
    else if (meaning.does === 'refuse') results.push(meaning.refusal.refused)
    else if (meaning.does === 'nothing') results.push({ line: row.line, result: 'unchanged', user_id: meaning.user.id })
    else results.push(await update(step, row.line, meaning))
  }
  return fresh.length === 0 ? results : [...results, ...(await create(step, fresh))]
}

class TakenBack extends Error {
  readonly results: readonly RowResult[]
  constructor(results: readonly RowResult[]) {
    super('a dry run')
    this.results = results
  }
}

const withoutIds = (rows: readonly RowResult[]): RowResult[] =>
  rows.map((row) => (row.result === 'created' ? { line: row.line, result: row.result } : row))

const importStep = async (ctx: Ctx, caller: User, rows: readonly ImportedRow[], dryRun: boolean): Promise<readonly RowResult[]> => {
  try {
    return await actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
      const results = await runStep({ ctx, caller, t, grantable }, rows)
      if (dryRun) throw new TakenBack(withoutIds(results))
      return results
    })
  } catch (error) {
    if (error instanceof TakenBack) return error.results
    throw error
  }
}

const countsOf = (rows: readonly RowResult[]) => {
  const counts = { created: 0, updated: 0, unchanged: 0, refused: 0, not_tried: 0 }
  for (const { result } of rows) counts[result]++
  return counts
}

/** Imports the file. Invalid rows get an error in their result. @throws AppError invalid_request for a malformed file */
export const importPeople = async (ctx: Ctx, caller: User, query: z.output<typeof ImportQuery>, text: string): Promise<z.input<typeof Imported>> => {
  const from = ctx.clock.elapsed()
  const rows = readRows(text)
  const results = new Map<number, RowResult>()
  const wanted = rows.flatMap((row) => {
    if (!isRefused(row)) return [row]
    results.set(row.line, row.refused)
    return []
  })
  for (let at = 0; at < wanted.length && ctx.clock.elapsed() - from < SECONDS * 1000; at += ROWS_A_STEP) {
    const done = await importStep(ctx, caller, wanted.slice(at, at + ROWS_A_STEP), query.dry_run)
    for (const result of done) results.set(result.line, result)
  }
  const all = rows.map(({ line }): RowResult => results.get(line) ?? { line, result: 'not_tried' })
  const counts = countsOf(all)
  if (!query.dry_run)
    await atomically(forTenant(ctx.db, caller.tenantId), (t) =>
      recordEvent(t, ctx, { event: 'people.imported', actor: byUser(caller), after: counts }),
    )
  ctx.wakeOutbox()
  return { dry_run: query.dry_run, counts, rows: all }
}
