// Runs once before all workers: creates the migrated database that theirs are copies of. On a server, roles belong to the cluster, so they are created here and not by each worker.
import pg from 'pg'
import { PREPARE } from '#db/migrations/policies'
import { makeTemplate, TEST_LOGIN_PASSWORD } from './database.ts'

/** The roles with which tests log in. */
export const prepareServer = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(PREPARE)
  for (const role of ['authsec_app', 'authsec_jobs']) await client.query(`alter role ${role} login password '${TEST_LOGIN_PASSWORD}'`)
  await client.end()
}

export const setup = async (): Promise<() => Promise<void>> => {
  if (process.env.TEST_DATABASE_URL !== undefined) await prepareServer(process.env.TEST_DATABASE_URL)
  return makeTemplate()
}
