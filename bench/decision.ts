// `npm run bench:decision`: a decision in a company of 1,000 roles, 10,000 bindings and 100,000 people, against the floor (plain map look-ups without scopes,
// expiry or conditions) and other engines in one run. With TEST_DATABASE_URL also over HTTP, against Hono with one select.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { BindingRow, PolicyRows } from '#db/store/policy'
import { compilePolicy, type Policy } from '#shared/domains/decision/compile'
import { decide, type Principal } from '#shared/domains/decision/decide'
import { type BenchQuestion, benchQuestions, grantsOfRole, people, rolesOf, rows, SIZES, scopeId, TENANT, userId } from './decision-company.ts'
import { overHttp } from './decision-http.ts'
import { peers } from './decision-peers.ts'
import { alternate } from './measure.ts'

const NOW = Date.now()
const PER = 1000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const heap = (): number => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

type Engine = { readonly name: string; readonly per: number; readonly decide: (asked: BenchQuestion) => boolean | Promise<boolean> }

const bareFloor = (): Engine => {
  const held = new Map(people.map((principal) => [principal.id, rolesOf(principal)]))
  const grants = new Map<string, Map<string, Set<string>>>()
  for (const { id } of rows.roles) {
    const resources = new Map<string, Set<string>>()
    for (const { resource, action } of grantsOfRole(id)) resources.set(resource, (resources.get(resource) ?? new Set<string>()).add(action))
    grants.set(id, resources)
  }
  return {
    name: 'floor: bare maps',
    per: PER,
    decide: ({ principal, question }) => {
      for (const role of held.get(principal.id) ?? []) if (grants.get(role)?.get(question.resource)?.has(question.action)) return true
      return false
    },
  }
}

const ours = (policy: Policy): Engine => {
  const known = new Map<string, Principal>(people.map((principal) => [principal.id, principal]))
  return { name: 'ours', per: PER, decide: ({ principal, question }) => decide(policy, known.get(principal.id), question, {}, NOW).allowed }
}

const at = (n: number): BenchQuestion => benchQuestions[n % benchQuestions.length] as BenchQuestion

const agree = async (engines: readonly Engine[], reference: Engine): Promise<void> => {
  for (let n = 0; n < 200; n++) {
    const question = at(n * 17)
    // casbin loads only the groups of the first 20,000 people: loading all takes minutes.
    if (Number.parseInt(question.principal.id.slice(-12), 16) >= 20_000) continue
    for (const engine of engines) {
      if ((await engine.decide(question)) !== (await reference.decide(question))) throw new Error(`${engine.name} decides otherwise`)
    }
  }
}

/** `among`: how many different questions, and so people, alternate. */
const measured = async (engines: readonly Engine[], operations: number, among = benchQuestions.length): Promise<Map<string, number>> => {
  const contenders = engines.map(({ name, per, decide: one }) => ({
    name,
    run: (n: number) => {
      if (per === 1) return one(at(n))
      let allowed = 0
      for (let i = 0; i < per; i++) if (one(at((n * per + i) % among))) allowed++
      return allowed
    },
  }))
  const figures = await alternate(contenders, { operations })
  return new Map(figures.map(({ name, cpuUs }, i) => [name, cpuUs / (engines[i]?.per ?? 1)]))
}

const table = (title: string, figures: ReadonlyMap<string, number>): void => {
  const floor = [...figures.values()][0] ?? 1
  const own = figures.get('ours') ?? floor
  console.log(`\n${title}\n  ${''.padEnd(46)}${'CPU us'.padStart(12)}   x floor   x ours`)
  for (const [name, us] of figures)
    console.log(`  ${name.padEnd(46)}${us.toFixed(3).padStart(12)}${(us / floor).toFixed(1).padStart(10)}${(us / own).toFixed(1).padStart(9)}`)
}

const percentiles = (engine: Engine): string => {
  const samples: number[] = []
  for (let n = 0; n < 20_000; n++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < 10; i++) engine.decide(at(n * 10 + i))
    samples.push(Number(process.hrtime.bigint() - start) / 10_000)
  }
  samples.sort((a, b) => a - b)
  return [0.5, 0.99].map((p) => (samples[Math.floor(samples.length * p)] ?? 0).toFixed(2)).join(' / ')
}

const compiling = (): Policy => {
  const before = heap()
  const policy = compilePolicy(TENANT, rows)
  const bytes = heap() - before
  const times = Array.from({ length: 9 }, () => {
    const start = process.cpuUsage()
    compilePolicy(TENANT, rows)
    const used = process.cpuUsage(start)
    return (used.user + used.system) / 1000
  }).sort((a, b) => a - b)
  console.log(
    `\nCompiling ${SIZES.roles} roles, ${SIZES.bindings} bindings: ${times[4]?.toFixed(1)} ms CPU (median), ${(bytes / 1e6).toFixed(1)} MB kept.`,
  )
  console.log('A change of a role or binding costs one compilation per instance, at most one each second; a change of a person or group costs none.')
  return policy
}

/** One person with n bindings: scoped ones are found by resource, tenant-wide ones are scanned. */
const shapes = async (): Promise<void> => {
  const binding = (n: number, isScoped: boolean): BindingRow => ({
    id: `b${n}`,
    roleId: rows.roles[n % SIZES.roles]?.id ?? '',
    holderKind: 'user',
    holderId: userId(0),
    scopeType: isScoped ? 'resource-0' : null,
    scopeId: isScoped ? scopeId(n) : null,
    conditions: { mfa_required: true },
    expiresAt: null,
  })
  const policyOf = (count: number, isScoped: boolean): Policy => {
    const own: PolicyRows = { ...rows, bindings: Array.from({ length: count }, (_, n) => binding(n, isScoped)) }
    return compilePolicy(TENANT, own)
  }
  const principal = people[0] as Principal
  const scoped = benchQuestions.slice(0, 256).map(({ question }, n) => ({ ...question, scopeId: scopeId(n % 100), scopeType: 'resource-0' }))
  const wide = benchQuestions.slice(0, 256).map(({ question }) => question)
  const engine = (name: string, policy: Policy, isScoped: boolean): Engine => {
    let n = 0
    const questions = isScoped ? scoped : wide
    return {
      name,
      per: PER,
      decide: () => decide(policy, principal, questions[n++ & 255] ?? { resource: '', action: '' }, { mfa: true }, NOW).allowed,
    }
  }
  table(
    'Conditional bindings of one person',
    await measured(
      [
        engine('100, one resource each', policyOf(100, true), true),
        engine('10,000, one resource each', policyOf(10_000, true), true),
        engine('100, tenant-wide', policyOf(100, false), false),
        engine('10,000, tenant-wide', policyOf(10_000, false), false),
      ],
      20,
    ),
  )
}

const policy = compiling()
const [floor, own] = [bareFloor(), ours(policy)]
const others = await peers()
await agree([own, ...others], floor)
const fast = await measured([floor, own, ...others.filter(({ per }) => per > 1)], 20)
const slow = await measured(
  others.filter(({ per }) => per === 1),
  5,
)
table(`A decision, ${benchQuestions.length} of ${SIZES.people} people taking turns`, new Map([...fast, ...slow]))
table('The same, 256 people taking turns', await measured([floor, own, ...others.filter(({ per }) => per > 1)], 20, 256))
console.log(`\nWall time of a decision, us, p50 / p99 over means of ten: ours ${percentiles(own)}, floor ${percentiles(floor)}.`)
await shapes()
if (process.env.TEST_DATABASE_URL === undefined) console.log('\nOver HTTP: set TEST_DATABASE_URL.')
else await overHttp(process.env.TEST_DATABASE_URL)
process.exit(0)
