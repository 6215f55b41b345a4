// What a function declares that it needs is what its bundle reads: a group that begins to send texts and does not say so fails here, and so does one that stopped.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { GROUPS } from '../apps/groups.ts'
import { builtFunctions, sourcesOf } from './bundle/build.ts'
import { NAMED, needsOf, SECRETS, type SecretVariable } from './needs.ts'

/** Where all of them are named: the reader of the environment, and who opens database, cache and keys for every function. */
const NAMES_ALL = new Set(['shared/kernel/config.ts', 'shared/domains/composition/cloud.ts', 'infra/needs.ts'])
const OF_PROVIDERS = /_CLIENT_SECRET\b/
/** Opened by `cloud` for every function. */
const OPENED: readonly SecretVariable[] = ['DATABASE_URL', 'REDIS_URL', 'UPSTASH_REDIS_REST_TOKEN', 'MASTER_KEYS', 'HASH_KEY']
/** Logins of the other roles are used by whoever works as them. */
const AS_JOBS = /\bacrossTenants\(/
const AS_OWNER = /\basOwner\(|\bengine\.script\(/
/** The jobs' lease and the rewrapping of keys are in every bundle or in none; who runs jobs is known by its trigger. */
const WORKS_AS_ROLES = new Set(['schedule', 'deploy'])

const usedBy = async (name: string): Promise<readonly SecretVariable[]> => {
  const sources = (await sourcesOf(name)).filter((source) => !NAMES_ALL.has(source))
  const text = sources.map((source) => readFileSync(source, 'utf8')).join('\n')
  const isScraped = GROUPS.some((group) => group.name === name && group.routes.some(({ access }) => access.rule === 'metrics'))
  return SECRETS.filter((secret) => {
    if (OPENED.includes(secret)) return true
    if (secret.endsWith('_CLIENT_SECRET')) return OF_PROVIDERS.test(text)
    // The guard of all routes can read it, for the one kind of route that asks for it.
    if (secret === 'METRICS_TOKEN') return isScraped
    if (secret === 'DATABASE_JOBS_URL') return WORKS_AS_ROLES.has(needsOf(name).trigger) && (AS_JOBS.test(text) || text.includes(secret))
    if (secret === 'DATABASE_OWNER_URL') return WORKS_AS_ROLES.has(needsOf(name).trigger) && AS_OWNER.test(text)
    return text.includes(secret)
  })
}

test.each(builtFunctions())('%s declares the secrets that its bundle reads', async (name) => {
  expect(needsOf(name).secrets.toSorted()).toEqual((await usedBy(name)).toSorted())
})

test('nothing is declared for a function that is not there, and what answers HTTP is a group', () => {
  expect(NAMED.filter((name) => !builtFunctions().includes(name))).toEqual([])
  for (const name of builtFunctions()) expect(needsOf(name).trigger === 'http', name).toBe(GROUPS.some((group) => group.name === name))
})
