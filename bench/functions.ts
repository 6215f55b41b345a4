// `npm run bench:functions [-- NAME…]`: every HTTP function as it ships, in its own process behind the Runtime API. Measured: the bundle size of the start and in total, the time
// and processor time from the start of the process to the first answer, and peak memory after twenty answers, next to the same of a hello-world Hono
// function, oidc-provider and better-auth. Ours are called twice: with an unknown path, and without credentials on the first of their routes, which loads it, counts in
// Redis and writes the refusal to the audit log; the authorization server also issues a token. Needs TEST_DATABASE_URL and TEST_REDIS_URL. ROUNDS (3) alternate; the output
// shows medians.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { methodOf, pathOf } from '#shared/platform/http/route'
import { awsSecrets } from '#shared/platform/secrets/aws'
import { AWS_ENVIRONMENT, startAws } from '#tests/support/aws'
import { setup } from '#tests/support/global-setup'
import { newOauthClient, newResource } from '#tests/support/oauth'
import { GROUPS } from '../apps/groups.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { builtGroups, bundle } from '../infra/bundle/build.ts'
import { answerOf, httpApiEvent, type LambdaCall } from '../tests/lambda/events.ts'
import { startLambda } from '../tests/lambda/runtime.ts'
import { startLambdaSystem } from '../tests/lambda/system.ts'
import { buildPeer, PATH_OF, PEER_NAMES, sizeOf } from './function-peers.ts'

const ROUNDS = Number(process.env.ROUNDS ?? '3')
const ANSWERS = 20
const kib = (bytes: number): number => Math.round(bytes / 1024)
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

await setup()
const system = await startLambdaSystem(oauthRoutes)
const folder = join(process.cwd(), 'dist', `bench-${process.pid}`)

type Contender = {
  readonly name: string
  readonly file: string
  readonly asked: LambdaCall
  /** The expected status, where it matters. */
  readonly status?: number
  readonly env?: Readonly<Record<string, string>>
  readonly startKib: number
  readonly totalKib: number
}
const ID = '0190c0de-0000-7000-8000-000000000001'
const tokenRequest = async (): Promise<LambdaCall> => {
  const client = await newOauthClient(system.app, system.company, { at: [await newResource(system.app, system.company, [{ name: 'tools:read' }])] })
  const headers = { authorization: client.authorization, 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', path: '/oauth/token', headers, body: 'grant_type=client_credentials' }
}
/** As infra/functions.ts sets it: secrets are not in the environment. */
const aws = await startAws()
const managedEnvironment = async (): Promise<Readonly<Record<string, string>>> => {
  const [prefix, names] = ['bench', ['DATABASE_URL', 'REDIS_URL', 'MASTER_KEYS', 'HASH_KEY']]
  const kept = awsSecrets({ prefix, endpoint: aws.endpoint })
  for (const name of names) await kept.write(name, system.env[name] ?? '')
  const told = { SECRETS_MANAGER_PREFIX: prefix, SECRETS_MANAGER_NAMES: names.join(), AWS_ENDPOINT_URL: aws.endpoint }
  return { ...system.env, ...Object.fromEntries(names.map((name) => [name, ''])), ...AWS_ENVIRONMENT, ...told }
}
const managed = await managedEnvironment()
const contenders: Contender[] = []
for (const name of PEER_NAMES) {
  const file = await buildPeer(name, folder)
  const total = kib(sizeOf(join(file, '..')))
  contenders.push({ name, file, asked: { path: PATH_OF[name] ?? '/' }, startKib: total, totalKib: total })
}
const wanted = process.argv.slice(2)
/** One of them also runs with its secrets in Secrets Manager. */
const MANAGED = wanted[0] ?? 'auth'
for (const name of builtGroups().filter((group) => wanted.length === 0 || wanted.includes(group))) {
  const { startBytes, totalBytes } = await bundle(name, join(folder, name))
  const common = { file: join(folder, name, `${name}.mjs`), startKib: kib(startBytes), totalKib: kib(totalBytes) }
  const [first] = GROUPS.find((group) => group.name === name)?.routes ?? []
  contenders.push({ ...common, name, asked: { path: '/no/such/path' } })
  if (name === MANAGED) contenders.push({ ...common, name: `${name}, as deployed`, asked: { path: '/no/such/path' }, env: managed })
  if (first !== undefined)
    contenders.push({ ...common, name: `${name}, a route`, asked: { method: methodOf(first), path: pathOf(first).replaceAll(/:\w+/g, ID) } })
  if (name === 'oauth') contenders.push({ ...common, name: 'oauth, a token', asked: await tokenRequest(), status: 200 })
}

const seen = new Map(contenders.map(({ name }) => [name, { ms: [] as number[], cpu: [] as number[], peak: [] as number[] }]))
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, file, asked, status, env = system.env } of contenders) {
    const begun = performance.now()
    const process = await startLambda(file, env)
    const answer = answerOf(await process.invoke(httpApiEvent(asked)))
    if (status !== undefined && answer.statusCode !== status) throw new Error(`${name}: ${answer.statusCode} ${answer.text}`)
    seen.get(name)?.ms.push(performance.now() - begun)
    seen.get(name)?.cpu.push(await process.cpuMs())
    for (let answered = 1; answered < ANSWERS; answered++) await process.invoke(httpApiEvent(asked))
    seen.get(name)?.peak.push((await process.peakKib()) / 1024)
    await process.stop()
  }
}

const figures = contenders.map(({ name, startKib, totalKib }) => ({
  name,
  startKib,
  totalKib,
  ms: median(seen.get(name)?.ms ?? []),
  cpu: median(seen.get(name)?.cpu ?? []),
  peak: median(seen.get(name)?.peak ?? []),
}))
const [hello] = figures
console.log(`\nFunctions as they ship, medians of ${ROUNDS}; ratios to the hello-world`)
console.log(
  `  ${''.padEnd(26)}${'KiB start'.padStart(10)}${'KiB all'.padStart(9)}${'first answer'.padStart(14)}${''.padStart(8)}${'processor'.padStart(12)}${''.padStart(8)}${'peak MiB'.padStart(10)}`,
)
for (const { name, startKib, totalKib, ms, cpu, peak } of figures) {
  const ratio = (value: number, base: number | undefined): string => `x ${(value / (base ?? value)).toFixed(2)}`
  console.log(
    `  ${name.padEnd(26)}${String(startKib).padStart(10)}${String(totalKib).padStart(9)}${`${ms.toFixed(0)} ms`.padStart(14)}${ratio(ms, hello?.ms).padStart(8)}${`${cpu.toFixed(0)} ms`.padStart(12)}${ratio(cpu, hello?.cpu).padStart(8)}${peak.toFixed(0).padStart(10)} ${ratio(peak, hello?.peak)}`,
  )
}

await system.stop()
await aws.stop()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
