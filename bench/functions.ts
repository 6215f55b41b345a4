// `npm run bench:functions [-- NAME…]`: every function that answers HTTP as it ships, in a process of its own behind the Runtime API: what the start loads and all of it,
// from the start of the process to the first answer by the clock and in processor time, and the peak of its memory after twenty answers; beside the same of a hello-world
// Hono function, oidc-provider and better-auth. Needs TEST_DATABASE_URL and TEST_REDIS_URL. ROUNDS (3) are alternated; medians are told.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setup } from '#shared/testing/global-setup'
import { builtGroups, bundle } from '../functions/build.ts'
import { httpApiEvent } from '../tests/lambda/events.ts'
import { startLambda } from '../tests/lambda/runtime.ts'
import { startSystem } from '../tests/lambda/system.ts'
import { buildPeer, PATH_OF, PEER_NAMES, sizeOf } from './function-peers.ts'

const ROUNDS = Number(process.env.ROUNDS ?? '3')
const ANSWERS = 20
const kib = (bytes: number): number => Math.round(bytes / 1024)
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

await setup()
const system = await startSystem()
const folder = join(process.cwd(), 'dist', `bench-${process.pid}`)

type Contender = { readonly name: string; readonly file: string; readonly path: string; readonly startKib: number; readonly totalKib: number }
const contenders: Contender[] = []
for (const name of PEER_NAMES) {
  const file = await buildPeer(name, folder)
  const total = kib(sizeOf(join(file, '..')))
  contenders.push({ name, file, path: PATH_OF[name] ?? '/', startKib: total, totalKib: total })
}
const wanted = process.argv.slice(2)
for (const name of builtGroups().filter((group) => wanted.length === 0 || wanted.includes(group))) {
  const { startBytes, totalBytes } = await bundle(name, join(folder, name))
  contenders.push({ name, file: join(folder, name, `${name}.mjs`), path: '/no/such/path', startKib: kib(startBytes), totalKib: kib(totalBytes) })
}

const seen = new Map(contenders.map(({ name }) => [name, { ms: [] as number[], cpu: [] as number[], peak: [] as number[] }]))
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, file, path } of contenders) {
    const begun = performance.now()
    const process = await startLambda(file, system.env)
    await process.invoke(httpApiEvent({ path }))
    seen.get(name)?.ms.push(performance.now() - begun)
    seen.get(name)?.cpu.push(await process.cpuMs())
    for (let answer = 1; answer < ANSWERS; answer++) await process.invoke(httpApiEvent({ path }))
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
  `  ${''.padEnd(18)}${'KiB start'.padStart(10)}${'KiB all'.padStart(9)}${'first answer'.padStart(14)}${''.padStart(8)}${'processor'.padStart(12)}${''.padStart(8)}${'peak MiB'.padStart(10)}`,
)
for (const { name, startKib, totalKib, ms, cpu, peak } of figures) {
  const ratio = (value: number, base: number | undefined): string => `x ${(value / (base ?? value)).toFixed(2)}`
  console.log(
    `  ${name.padEnd(18)}${String(startKib).padStart(10)}${String(totalKib).padStart(9)}${`${ms.toFixed(0)} ms`.padStart(14)}${ratio(ms, hello?.ms).padStart(8)}${`${cpu.toFixed(0)} ms`.padStart(12)}${ratio(cpu, hello?.cpu).padStart(8)}${peak.toFixed(0).padStart(10)} ${ratio(peak, hello?.peak)}`,
  )
}

await system.stop()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
