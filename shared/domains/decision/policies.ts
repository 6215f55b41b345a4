// Policies as this instance knows them. Roles and bindings are compiled once per tenant and version; a principal's status and groups load by key.
import { type Db, refuseInsideTransaction } from '#db/engine/client'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { type PrincipalKind, type PrincipalState, readPolicy, readPrincipals } from '#db/store/policy'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { compilePolicy, type Policy } from './compile.ts'
import type { Principal } from './decide.ts'

export type Subject = { readonly kind: PrincipalKind /** Lower-case UUID. */; readonly id: string }
export type LoadedPolicy = {
  readonly policy: Policy
  /** Undefined when there is nobody of that kind and id in the tenant. */
  principal(subject: Subject): Principal | undefined
}
export type Policies = {
  /**
   * The tenant's policy and what is known of these principals; nothing of it is older than two seconds. In memory: no statement. Out of date: one statement
   * reads the principals and the version, and a second one the rows, only if the version is another.
   * @throws AppError unavailable when the database answers too slowly for that promise; not_found when there is no such tenant
   * @throws DatabaseAway
   */
  load(tenantId: TenantId, subjects: readonly Subject[]): Promise<LoadedPolicy>
}

/** How old what is remembered may be when it is used. With the time that a read may take, a change elsewhere is felt within two seconds. */
const FRESH_MS = 1000
const PROMISED_MS = 2000
const ATTEMPTS = 3
/** Rows of policies plus principals that are kept, some 300 bytes each; the tenants used longest ago go first. */
const MAX_WEIGHT = 400_000
const MAX_PRINCIPALS_OF_TENANT = 20_000

type Known = { readonly state: PrincipalState | undefined; readonly since: ClockReading }
/** What is remembered of a tenant since the last commit of that tenant on this instance. */
type Memory = {
  policy: Policy | undefined
  /** When the version was last seen to be the policy's; undefined: not since the commit. */
  checked: ClockReading | undefined
  /** In two halves: a full newer one becomes the older, and what was the older one goes. What is out of date is read again, so whatever is used is newer. */
  principals: Map<string, Known>
  older: ReadonlyMap<string, Known>
  compiling: Promise<void> | undefined
  /** The read under way, and the one that begins when it is over: whoever comes meanwhile is read by that, in one statement with the others. */
  reading: Promise<void> | undefined
  next: { readonly subjects: Map<string, Subject>; readonly read: Promise<void> } | undefined
  /** What the total was last told that it weighs. */
  counted: number
}

const keyOf = ({ kind, id }: Subject): string => (kind === 'user' ? id : `s:${id}`)
const weightOf = ({ policy, principals, older }: Memory): number => 1 + (policy?.weight ?? 0) + principals.size + older.size
const knownOf = ({ principals, older }: Memory, subject: Subject): Known | undefined => principals.get(keyOf(subject)) ?? older.get(keyOf(subject))
const memoryWith = (policy: Policy | undefined): Memory => ({
  policy,
  checked: undefined,
  principals: new Map(),
  older: new Map(),
  compiling: undefined,
  reading: undefined,
  next: undefined,
  counted: 0,
})

type Deps = { readonly db: Db; readonly clock: Clock; readonly maxWeight?: number }

export const createPolicies = ({ db, clock, maxWeight = MAX_WEIGHT }: Deps): Policies => {
  /** In the order of use, the latest last. */
  const tenants = new Map<string, Memory>()
  let total = 0

  const weigh = (memory: Memory): void => {
    const weight = weightOf(memory)
    total += weight - memory.counted
    memory.counted = weight
  }

  // Forgotten at once, not recompiled: the version tells whether roles or bindings were in that commit. What a reader under way learns goes to the old
  // memory, which nobody reads again, so it is used by requests that were there before the commit and by no other.
  db.onCommit((tenantId) => {
    const known = tenants.get(tenantId)
    if (known === undefined) return
    const memory = memoryWith(known.policy)
    total -= known.counted
    weigh(memory)
    tenants.set(tenantId, memory)
  })

  const memoryOf = (tenantId: TenantId): Memory => {
    const memory = tenants.get(tenantId) ?? memoryWith(undefined)
    tenants.delete(tenantId)
    tenants.set(tenantId, memory)
    return memory
  }

  const trim = (tenantId: TenantId, used: Memory): void => {
    if (tenants.get(tenantId) !== used) return
    if (used.principals.size >= MAX_PRINCIPALS_OF_TENANT / 2) {
      used.older = used.principals
      used.principals = new Map()
    }
    weigh(used)
    for (const [other, memory] of tenants) {
      if (total <= maxWeight || memory === used) break
      tenants.delete(other)
      total -= memory.counted
    }
  }

  const isFresh = (since: ClockReading | undefined): boolean => since !== undefined && ageMs(clock, since) < FRESH_MS

  const compiled = async (tenantId: TenantId, memory: Memory): Promise<void> => {
    const since = readClock(clock)
    const rows = await readPolicy(forTenant(db, tenantId))
    if (rows === undefined) throw new AppError('not_found')
    if (rows.version !== memory.policy?.version) memory.policy = compilePolicy(tenantId, rows)
    memory.checked = since
  }

  /** One statement for all that is missing; its version says whether the policy in memory is still the one. */
  const refresh = async (tenantId: TenantId, memory: Memory, missing: readonly Subject[]): Promise<void> => {
    const since = readClock(clock)
    const read = await readPrincipals(forTenant(db, tenantId), missing)
    if (read === undefined) throw new AppError('not_found')
    const found = new Map(read.principals.map((state) => [keyOf(state), state]))
    for (const subject of missing) memory.principals.set(keyOf(subject), { state: found.get(keyOf(subject)), since })
    if (read.version === memory.policy?.version) {
      memory.checked = since
      return
    }
    memory.compiling ??= compiled(tenantId, memory).finally(() => {
      memory.compiling = undefined
    })
    await memory.compiling
  }

  /** A statement of its own for each of many at once would be most of the work of answering them. What is read was asked for before it was begun, so it is as fresh. */
  const refreshTogether = (tenantId: TenantId, memory: Memory, missing: readonly Subject[]): Promise<void> => {
    const begin = (subjects: readonly Subject[]): Promise<void> => {
      const reading = refresh(tenantId, memory, subjects)
      const over = (): void => {
        if (memory.reading === settled) memory.reading = undefined
      }
      const settled = reading.then(over, over)
      memory.reading = settled
      return reading
    }
    if (memory.reading === undefined) return begin(missing)
    if (memory.next === undefined) {
      const subjects = new Map<string, Subject>()
      const read = memory.reading.then(() => {
        memory.next = undefined
        return begin([...subjects.values()])
      })
      memory.next = { subjects, read }
    }
    for (const subject of missing) memory.next.subjects.set(keyOf(subject), subject)
    return memory.next.read
  }

  const loaded = (memory: Memory, subjects: readonly Subject[]): LoadedPolicy | undefined => {
    const { policy, checked } = memory
    if (policy === undefined || checked === undefined || ageMs(clock, checked) >= PROMISED_MS) return undefined
    const [only, ...more] = subjects
    if (only !== undefined && more.length === 0) {
      const known = knownOf(memory, only)
      if (known === undefined || ageMs(clock, known.since) >= PROMISED_MS) return undefined
      const { state } = known
      return { policy, principal: ({ kind, id }) => (kind === only.kind && id === only.id ? state : undefined) }
    }
    const states = new Map<string, PrincipalState | undefined>()
    for (const subject of subjects) {
      const known = knownOf(memory, subject)
      if (known === undefined || ageMs(clock, known.since) >= PROMISED_MS) return undefined
      states.set(keyOf(subject), known.state)
    }
    return { policy, principal: (subject) => states.get(keyOf(subject)) }
  }

  return {
    load: async (tenantId, subjects) => {
      refuseInsideTransaction()
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const memory = memoryOf(tenantId)
        const missing = subjects.filter((subject) => !isFresh(knownOf(memory, subject)?.since))
        const isStale = missing.length > 0 || !isFresh(memory.checked)
        if (isStale) await refreshTogether(tenantId, memory, missing)
        const answer = loaded(memory, subjects)
        if (isStale) trim(tenantId, memory)
        if (answer !== undefined) return answer
      }
      throw new AppError('unavailable', undefined, {}, new Error('Reading the policy takes longer than it may be kept.'))
    },
  }
}
