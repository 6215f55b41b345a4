// What each function carries: its own group and what it uses, nothing of its siblings, of local mode, of the tools or of the tests; and within a budget.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERRORS } from '#shared/kernel/errors'
import { GROUPS } from '../../apps/groups.ts'
import { builtFunctions, builtGroups, namingErrors } from './build.ts'
import { builtOnce } from './built-once.ts'
import { errorsNamedIn } from './left-out.ts'

/** KiB minified that the start may load, of which zod, drizzle, pg, hono and jose are 230. */
const START_KIB = 395
/** Named with what it may have more, and why. Dated 2026-11-29. */
const MORE: Readonly<Record<string, number>> = {
  // The token endpoint stands in it: nearly every request is for that, and the start has more of a processor than a request.
  oauth: 30,
}
/** With the dearest of its files of routes, which the first request for one of them loads: their schemas, rules, statements and tables. */
const ROUTE_KIB = 440
/**
 * KiB minified that may be loaded later, if ever: argon2id in WebAssembly (212), the list of common passwords (202); and drivers of which a deployment loads those
 * it is set to: the AWS SDK (470, and where functions run never: see shared/aws), Neon (142), ioredis (98), Upstash (78); files of routes and what they share, which
 * are not at the start (70).
 */
const LAZY_KIB = 456 + 790 + 70
/**
 * Verifying passkeys: the library and what it reads certificates with (360), loaded when a ceremony ends. With the start that is 850. SAML: what reads, verifies,
 * decrypts and writes XML (460, of which XPath 230 in two versions and its builder 130), and what makes a certificate (310), each loaded when it is needed. What
 * sends pushes to browsers (140), where a person adds one. And the hosted pages in two languages, loaded when somebody looks at one; the way
 * to a company's own front end and back (12).
 */
const LAZY_MORE: Readonly<Record<string, number>> = { webauthn: 210, saml: 650, oauth: 62, login: 150, 'account-pages': 260 }

const FORBIDDEN: readonly (readonly [pattern: RegExp, why: string, but?: string | readonly string[]])[] = [
  [/^functions\/[\w-]+\.tsx?$/, 'a tool of all groups'],
  [/(^|\/)local(\.tsx?$|\/)/, 'local mode'],
  [/^shared\/http\/openapi/, 'the OpenAPI generator'],
  [/^shared\/page\/(docs|outbox|front)/, 'a page of local mode'],
  [/pglite/i, 'the embedded database'],
  [/^db\/(folder|dump\/(?!catalogue))/, 'opening or moving a database'],
  [/^db\/(migrate|migrations)/, 'migrations', ['migration', 'upgrade']],
  [/^shared\/testing\/|\.(test|race|server|contract)\.tsx?$|^tests\/|^bench\//, 'testing code'],
  [/node_modules\/@simplewebauthn\//, 'passkeys', 'webauthn'],
  [/node_modules\/(esbuild|vitest|tsx|drizzle-kit|fast-check|playwright-core)\//, 'a development tool'],
]

/** Files that have no place in the function of `group`, and why. */
const misplaced = (group: string, inputs: readonly string[]): string[] =>
  inputs.flatMap((input) => {
    const sibling = /^functions\/([\w-]+)\//.exec(input)?.[1]
    const why = FORBIDDEN.flatMap(([pattern, reason, but]) => (pattern.test(input) && ![but].flat().includes(group) ? [reason] : []))
    return [...(sibling === undefined || sibling === group ? [] : ['a sibling group']), ...why].map((reason) => `${input}: ${reason}`)
  })

const kib = (bytes: number): number => Math.round(bytes / 102.4) / 10

const functions = builtFunctions()

test('what has no place in a function is found by name', () => {
  const misfits = [
    'functions/user/routes.ts',
    'apps/groups.ts',
    'scripts/openapi.ts',
    'apps/local/drivers.ts',
    'shared/platform/outbox/mail/local.ts',
    'shared/platform/openapi/components.ts',
    'shared/platform/pages/docs.tsx',
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

test.each(GROUPS.map(({ name, routes }) => [name, routes] as const))(
  '%s knows every error that its routes declare, and not all',
  async (name, routes) => {
    const all = readFileSync('shared/kernel/errors.ts', 'utf8')
    const kept = errorsNamedIn(all, await namingErrors(name))
    const has = (text: string, code: string): boolean => new RegExp(`^ {2}${code}: \\{`, 'm').test(text)
    for (const code of new Set(routes.flatMap(({ errors }) => errors))) expect(has(kept, code), code).toBe(true)
    for (const code of ['internal', 'timeout', 'unavailable', 'unknown_host', 'not_found', 'method_not_allowed', 'rate_limited'])
      expect(has(kept, code), code).toBe(true)
    expect(Object.keys(ERRORS).filter((code) => has(all, code) && !has(kept, code)).length).toBeGreaterThan(40)
  },
)

test('every group of routes is a function', () => {
  expect(builtGroups()).toEqual(GROUPS.map(({ name }) => name).toSorted())
})

test.each(functions)('%s carries nothing that has no place in it', async (group) => {
  expect(misplaced(group, (await builtOnce(group)).bundle.inputs)).toEqual([])
})

test.each(functions)('%s stays within its budget', async (group) => {
  const { startBytes, routeBytes, totalBytes, costs } = (await builtOnce(group)).bundle
  const dearest = [...costs].slice(0, 12).map(([owner, bytes]) => `${owner} ${kib(bytes)}`)
  expect(kib(startBytes), `KiB at the start; dearest: ${dearest.join(', ')}`).toBeLessThanOrEqual(START_KIB + (MORE[group] ?? 0))
  expect(kib(routeBytes), `KiB with a route; dearest: ${dearest.join(', ')}`).toBeLessThanOrEqual(ROUTE_KIB)
  expect(kib(totalBytes - startBytes), `KiB loaded later; dearest: ${dearest.join(', ')}`).toBeLessThanOrEqual(LAZY_KIB + (LAZY_MORE[group] ?? 0))
})
