// Contents and size of each function: its own group and its dependencies, without sibling groups, local mode, tools or tests, and within a budget.
import { expect, test } from 'vitest'
import { GROUPS } from '../../apps/groups.ts'
import { builtFunctions, builtGroups } from './build.ts'
import { cachedBundle } from './cached-bundle.ts'

/** KiB minified that the start may load, of which zod, drizzle, pg, hono and jose are 310. */
const START_KIB = 480
/** Groups that may load more at their start, and why. */
const MORE: Readonly<Record<string, number>> = {
  // Carries the token endpoint: nearly every request of the group is for it, and the platform gives a start more of a processor than a request.
  oauth: 40,
}
/** With the largest of its files of routes, which the first request for one of them loads: schemas, rules, statements and tables. */
const ROUTE_KIB = 560
/**
 * KiB minified that may be loaded later, if ever: argon2id in WebAssembly (212), the list of common passwords (202), and drivers of which a deployment loads the
 * ones it is configured for: the AWS SDK (470, which a function never loads: see shared/platform/aws), Neon (142), ioredis (98), Upstash (78), files of routes (70),
 * authenticating workloads (14).
 */
const LAZY_KIB = 456 + 790 + 70 + 14
/**
 * Passkeys: the library and the certificates it reads (360), loaded when a ceremony ends. SAML: reading, verifying, decrypting and writing XML (460) and making a
 * certificate (310). Certificates of workloads, and of the authorities that the job makes (310, of which other functions load less). The hosted pages in two
 * languages, and push messages to browsers (140) where a person adds one. The second version of the management routes. Evidence of workloads: certificates (300)
 * and the XML of a token service (100).
 */
const LAZY_MORE: Readonly<Record<string, number>> = {
  webauthn: 210,
  saml: 650,
  oauth: 62,
  login: 200,
  'account-pages': 280,
  management: 20,
  spiffe: 310,
  scheduled: 250,
}

const FORBIDDEN: readonly (readonly [pattern: RegExp, why: string, but?: string | readonly string[]])[] = [
  [/^apps\//, 'an entry point of its own'],
  [/^(scripts|infra|cli)\//, 'a tool'],
  [/(^|\/)local(\.tsx?$|\/)/, 'local mode'],
  [/^shared\/platform\/openapi/, 'the OpenAPI generator'],
  [/^shared\/platform\/pages\/(outbox|front)/, 'a page of local mode'],
  [/pglite/i, 'the embedded database'],
  [/^db\/(engine\/folder|dump\/(?!catalogue))/, 'opening or moving a database'],
  [/^db\/migrations/, 'migrations', ['migration', 'upgrade']],
  [/\.(test|race|server|contract)\.tsx?$|^tests\/|^bench\//, 'testing code'],
  [/node_modules\/@simplewebauthn\//, 'passkeys', 'webauthn'],
  [/node_modules\/(esbuild|vitest|tsx|drizzle-kit|fast-check|playwright-core)\//, 'a development tool'],
]

/** Files that must not be in the function of `group`, and why. */
const misplaced = (group: string, inputs: readonly string[]): string[] =>
  inputs.flatMap((input) => {
    const sibling = /^functions\/([\w-]+)\//.exec(input)?.[1]
    const why = FORBIDDEN.flatMap(([pattern, reason, but]) => (pattern.test(input) && ![but].flat().includes(group) ? [reason] : []))
    return [...(sibling === undefined || sibling === group ? [] : ['a sibling group']), ...why].map((reason) => `${input}: ${reason}`)
  })

const kib = (bytes: number): number => Math.round(bytes / 102.4) / 10

const functions = builtFunctions()

test('a file that must not be in a function is reported by name', () => {
  const misfits = [
    'functions/user/routes.ts',
    'apps/groups.ts',
    'scripts/openapi.ts',
    'apps/local/drivers.ts',
    'shared/platform/outbox/mail/local.ts',
    'shared/platform/openapi/components.ts',
    'shared/platform/pages/outbox.tsx',
    'db/engine/pglite.ts',
    'db/engine/folder.ts',
    'db/migrations/migrations.generated.ts',
    'node_modules/@electric-sql/pglite/dist/index.js',
    'tests/support/app.ts',
    'shared/platform/cache/cache.contract.ts',
    'node_modules/esbuild/lib/main.js',
  ]
  for (const misfit of misfits) expect(misplaced('auth', [misfit]).join(), misfit).toContain(misfit)
  expect(
    misplaced('auth', ['functions/auth/routes.ts', 'shared/platform/http/mount.ts', 'db/engine/postgres.ts', 'node_modules/zod/index.js']),
  ).toEqual([])
})

test('every group of routes is a function', () => {
  expect(builtGroups()).toEqual(GROUPS.map(({ name }) => name).toSorted())
})

test.each(functions)('%s contains only its own files', async (group) => {
  expect(misplaced(group, (await cachedBundle(group)).bundle.inputs)).toEqual([])
})

test.each(functions)('%s stays within its budget', async (group) => {
  const { startBytes, routeBytes, totalBytes, costs } = (await cachedBundle(group)).bundle
  const dearest = [...costs].slice(0, 12).map(([owner, bytes]) => `${owner} ${kib(bytes)}`)
  expect(kib(startBytes), `KiB at the start; dearest: ${dearest.join(', ')}`).toBeLessThanOrEqual(START_KIB + (MORE[group] ?? 0))
  expect(kib(routeBytes), `KiB with a route; dearest: ${dearest.join(', ')}`).toBeLessThanOrEqual(ROUTE_KIB)
  expect(kib(totalBytes - startBytes), `KiB loaded later; dearest: ${dearest.join(', ')}`).toBeLessThanOrEqual(LAZY_KIB + (LAZY_MORE[group] ?? 0))
})
