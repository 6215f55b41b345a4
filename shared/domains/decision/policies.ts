// This instance's cache of policies. Roles and bindings compile once per tenant and version; a principal's status and groups load by key.
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
  /** Undefined when the tenant has no such principal. */
  principal(subject: Subject): Principal | undefined
}
export type Policies = {
  /**
   * The tenant's policy and the state of these principals, at most two seconds old. A cached answer runs no statement; a stale one runs one for the principals and
   * the version, and a second one for the rows only if the version changed.
   * @throws AppError unavailable when the database answers too slowly for that; not_found for an unknown tenant
   * @throws DatabaseAway
   */
  load(tenantId: TenantId, subjects: readonly Subject[]): Promise<LoadedPolicy>
}

/** The maximum age at use. With the time of a read, a change elsewhere takes effect within two seconds. */
const MAX_AGE_MS = 1000
const MAX_STALENESS_MS = 2000
const ATTEMPTS = 3
/** Policy rows plus principals in memory, about 300 bytes each; the least recently used tenants are evicted. */
const MAX_WEIGHT = 400_000
const MAX_PRINCIPALS_OF_TENANT = 20_000

type CachedPrincipal = { readonly state: PrincipalState | undefined; readonly since: ClockReading }
/** The cache of one tenant since its last commit on this instance. */
type Memory = {
  policy: Policy | undefined
  /** When the version was last confirmed; undefined after a commit. */
  checked: ClockReading | undefined
  /** Two generations: when the newer is full it becomes the older, and the previous older one is dropped. Stale entries are re-read into the newer. */
  principals: Map<string, CachedPrincipal>
  older: ReadonlyMap<string, CachedPrincipal>
  compiling: Promise<void> | undefined
  /** The current read, and the next one, which serves every request that arrives meanwhile with one statement. */
  reading: Promise<void> | undefined
  next: { readonly subjects: Map<string, Subject>; readonly read: Promise<void> } | undefined
  /** This tenant's share of the total weight. */
  counted: number
}

const keyOf = ({ kind, id }: Subject): string => (kind === 'user' ? id : `s:${id}`)
const weightOf = ({ policy, principals, older }: Memory): number => 1 + (policy?.weight ?? 0) + principals.size + older.size
const knownOf = ({ principals, older }: Memory, subject: Subject): CachedPrincipal | undefined =>
  principals.get(keyOf(subject)) ?? older.get(keyOf(subject))
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
  /** In order of use, the most recent last. */
  const tenants = new Map<string, Memory>()
  let total = 0

  const updateWeight = (memory: Memory): void => {
    const weight = weightOf(memory)
    total += weight - memory.counted
    memory.counted = weight
  }

  // The entry is replaced but its policy kept: the version tells whether the commit changed roles or bindings. A read under way fills the old entry, which only
  // requests from before the commit use.
  db.onCommit((tenantId) => {
    const known = tenants.get(tenantId)
    if (known === undefined) return
    const memory = memoryWith(known.policy)
    total -= known.counted
    updateWeight(memory)
    tenants.set(tenantId, memory)
  })

  const memoryOf = (tenantId: TenantId): Memory => {
    const memory = tenants.get(tenantId) ?? memoryWith(undefined)
    tenants.delete(tenantId)
    tenants.set(tenantId, memory)
    return memory
  }

  const evict = (tenantId: TenantId, used: Memory): void => {
    if (tenants.get(tenantId) !== used) return
    if (used.principals.size >= MAX_PRINCIPALS_OF_TENANT / 2) {
      used.older = used.principals
      used.principals = new Map()
    }
    updateWeight(used)
    for (const [other, memory] of tenants) {
      if (total <= maxWeight || memory === used) break
      tenants.delete(other)
      total -= memory.counted
    }
  }

  const isCurrent = (since: ClockReading | undefined): boolean => since !== undefined && ageMs(clock, since) < MAX_AGE_MS

  const compile = async (tenantId: TenantId, memory: Memory): Promise<void> => {
    const since = readClock(clock)
    const rows = await readPolicy(forTenant(db, tenantId))
    if (rows === undefined) throw new AppError('not_found')
    if (rows.version !== memory.policy?.version) memory.policy = compilePolicy(tenantId, rows)
    memory.checked = since
  }

  /** Reads all missing principals with one statement; its version tells whether the cached policy is current. */
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
    memory.compiling ??= compile(tenantId, memory).finally(() => {
      memory.compiling = undefined
    })
    await memory.compiling
  }

  /** Groups concurrent reads: one statement for each would be most of the cost. A grouped read begins after its requests, so it is as current. */
  const refreshTogether = (tenantId: TenantId, memory: Memory, missing: readonly Subject[]): Promise<void> => {
    const begin = (subjects: readonly Subject[]): Promise<void> => {
      const reading = refresh(tenantId, memory, subjects)
      const finish = (): void => {
        if (memory.reading === settled) memory.reading = undefined
      }
      const settled = reading.then(finish, finish)
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

  const fromMemory = (memory: Memory, subjects: readonly Subject[]): LoadedPolicy | undefined => {
    const { policy, checked } = memory
    if (policy === undefined || checked === undefined || ageMs(clock, checked) >= MAX_STALENESS_MS) return undefined
    const [only, ...more] = subjects
    if (only !== undefined && more.length === 0) {
      const known = knownOf(memory, only)
      if (known === undefined || ageMs(clock, known.since) >= MAX_STALENESS_MS) return undefined
      const { state } = known
      return { policy, principal: ({ kind, id }) => (kind === only.kind && id === only.id ? state : undefined) }
    }
    const states = new Map<string, PrincipalState | undefined>()
    for (const subject of subjects) {
      const known = knownOf(memory, subject)
      if (known === undefined || ageMs(clock, known.since) >= MAX_STALENESS_MS) return undefined
      states.set(keyOf(subject), known.state)
    }
    return { policy, principal: (subject) => states.get(keyOf(subject)) }
  }

  return {
    load: async (tenantId, subjects) => {
      refuseInsideTransaction()
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const memory = memoryOf(tenantId)
        const missing = subjects.filter((subject) => !isCurrent(knownOf(memory, subject)?.since))
        const isStale = missing.length > 0 || !isCurrent(memory.checked)
        if (isStale) await refreshTogether(tenantId, memory, missing)
        const answer = fromMemory(memory, subjects)
        if (isStale) evict(tenantId, memory)
        if (answer !== undefined) return answer
      }
      throw new AppError('unavailable', undefined, {}, new Error('Reading the policy takes longer than its maximum age.'))
    },
  }
}
