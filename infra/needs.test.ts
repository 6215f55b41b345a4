// The declared needs of a function match the sources in its bundle: a group that starts or stops sending text messages without changing its declaration fails here.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { GROUPS } from '../apps/groups.ts'
import { builtFunctions } from './bundle/build.ts'
import { cachedBundle } from './bundle/cached-bundle.ts'
import { FUNCTIONS_WITH_ADDITIONS, needsOf, SECRETS, type SecretVariable } from './needs.ts'

/** Files that name every secret: the configuration, and the composition that opens database, cache and keys for every function. */
const NAMES_ALL = new Set(['shared/kernel/config.ts', 'shared/domains/composition/cloud.ts', 'infra/needs.ts'])
const OF_PROVIDERS = /_CLIENT_SECRET\b/
/** Opened by `cloud` for every function. */
const OPENED: readonly SecretVariable[] = ['DATABASE_URL', 'REDIS_URL', 'UPSTASH_REDIS_REST_TOKEN', 'MASTER_KEYS', 'HASH_KEY']
/** Calls that work as another role of the database, with its login. */
const AS_JOBS = /\bacrossTenants\(/
const AS_OWNER = /\basOwner\(|\bengine\.script\(/
/** Code that works as another role can be in any bundle; only functions with these triggers run it. */
const WORKS_AS_ROLES = new Set(['schedule', 'deploy'])

const usedBy = async (name: string): Promise<readonly SecretVariable[]> => {
  const { inputs } = (await cachedBundle(name)).bundle
  const sources = inputs.filter((source) => /^(db|functions|shared)\//.test(source) && !NAMES_ALL.has(source))
  const text = sources.map((source) => readFileSync(source, 'utf8')).join('\n')
  const servesMetrics = GROUPS.some((group) => group.name === name && group.routes.some(({ access }) => access.rule === 'metrics'))
  return SECRETS.filter((secret) => {
    if (OPENED.includes(secret)) return true
    if (secret.endsWith('_CLIENT_SECRET')) return OF_PROVIDERS.test(text)
    // The guard is in every bundle and reads it only for routes with the access rule `metrics`.
    if (secret === 'METRICS_TOKEN') return servesMetrics
    if (secret === 'DATABASE_JOBS_URL') return WORKS_AS_ROLES.has(needsOf(name).trigger) && (AS_JOBS.test(text) || text.includes(secret))
    if (secret === 'DATABASE_OWNER_URL') return WORKS_AS_ROLES.has(needsOf(name).trigger) && AS_OWNER.test(text)
    return text.includes(secret)
  })
}

test.each(builtFunctions())('%s declares the secrets that its bundle reads', async (name) => {
  expect(needsOf(name).secrets.toSorted()).toEqual((await usedBy(name)).toSorted())
})

test('every declaration belongs to a function, and exactly the groups have the trigger http', () => {
  expect(FUNCTIONS_WITH_ADDITIONS.filter((name) => !builtFunctions().includes(name))).toEqual([])
  for (const name of builtFunctions()) expect(needsOf(name).trigger === 'http', name).toBe(GROUPS.some((group) => group.name === name))
})
