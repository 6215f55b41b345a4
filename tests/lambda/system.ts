// The environment of the functions in these tests: a migrated database per file with a company, Redis, and bundles as they ship.
import { join } from 'node:path'
import type { Route } from '#shared/platform/http/route'
import { cachedBundle } from '../../infra/bundle/cached-bundle.ts'
import { type Company, type Person, startApp, type TestApp } from '../support/app.ts'
import { ownDatabase, TEST_LOGIN_PASSWORD } from '../support/database.ts'
import { type LambdaProcess, startLambda } from './runtime.ts'

const SECRETS = { MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString('base64')}`, HASH_KEY: Buffer.alloc(32, 9).toString('base64') }

const loginOf = (url: string, user: string): string => {
  const out = new URL(url)
  out.username = user
  out.password = TEST_LOGIN_PASSWORD
  return out.href
}

export type LambdaSystem = {
  /** The variables that production sets for every function. */
  readonly env: Readonly<Record<string, string>>
  /** A privileged connection, for changes to the server. */
  readonly url: string
  /** An app on the same database, to prepare tests. */
  readonly app: TestApp
  readonly company: Company
  person(grant?: 'admin'): Promise<Person>
  token(person: Person): Promise<string>
  /** Starts a process of that function. `stop` ends all of them. */
  start(name: string, env?: Readonly<Record<string, string>>): Promise<LambdaProcess>
  stop(): Promise<void>
}

/** `routes` are used to prepare test data. */
export const startLambdaSystem = async (routes: readonly Route<never>[] = [], more: Readonly<Record<string, string>> = {}): Promise<LambdaSystem> => {
  const { db, url } = await ownDatabase()
  const redis = process.env.TEST_REDIS_URL
  if (url === undefined || redis === undefined) throw new Error('TEST_DATABASE_URL and TEST_REDIS_URL must be set')
  const app = await startApp(routes, { db, env: SECRETS, start: new Date().toISOString() })
  const company = await app.company('lambda')
  const env = {
    ...SECRETS,
    ENVIRONMENT: 'production',
    BASE_URL: 'https://auth.example.com',
    DATABASE_URL: loginOf(url, 'authsec_app'),
    DATABASE_JOBS_URL: loginOf(url, 'authsec_jobs'),
    DATABASE_POOL: '2',
    REDIS_URL: redis,
    SMTP_URL: 'smtp://127.0.0.1:1',
    SIGN_UP: 'open',
    ...more,
  }
  const running: LambdaProcess[] = []
  return {
    env,
    url,
    app,
    company,
    person: (grant) => app.person(company, grant),
    token: (person) => app.token(person),
    start: async (name, own = {}) => {
      const process = await startLambda(join((await cachedBundle(name)).folder, `${name}.mjs`), { ...env, ...own })
      running.push(process)
      return process
    },
    stop: async () => {
      await Promise.all(running.map((process) => process.stop()))
      await db.engine.close()
    },
  }
}
