// PgBouncer between the service and PostgreSQL in transaction mode: every transaction may use another server connection, on which other clients prepared
// other statements. Needs TEST_DATABASE_URL, and scripts/pooler.sh.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Statement } from '#db/engine/client'
import { engineContract, type OpenedEngine } from '#db/engine/engine.contract'
import { postgresEngine } from '#db/engine/postgres'
import { onServer, testDatabase } from '../support/database.ts'
import { freePort } from './free-port.ts'

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

/** An engine with more connections than the pooler has to the server. */
const behindPooler = async (maxPreparedStatements: number): Promise<OpenedEngine> => {
  const program = /PGBOUNCER='([^']+)'/.exec(execFileSync('scripts/pooler.sh', { encoding: 'utf8' }))?.[1] ?? 'pgbouncer'
  const url = new URL((await testDatabase()).url ?? '')
  const folder = mkdtempSync(join(tmpdir(), 'authsec-pooler-'))
  const port = await freePort()
  const [name, password] = [url.pathname.slice(1), url.password === '' ? '' : ` password=${decodeURIComponent(url.password)}`]
  const settings = join(folder, 'pgbouncer.ini')
  writeFileSync(
    settings,
    `[databases]
${name} = host=${url.hostname} port=${url.port || 5432} dbname=${name} user=${url.username}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_prepared_statements = ${maxPreparedStatements}
${process.getuid?.() === 0 ? 'user = nobody' : ''}
`,
  )
  chmodSync(folder, 0o755)
  const child = spawn(program, ['-q', settings], { stdio: 'ignore' })
  while (!(await answers(port))) await sleep(20)
  url.port = String(port)
  const engine = postgresEngine({ url: url.href, maxConnections: 8 })
  const close = async (): Promise<void> => {
    await engine.close()
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  return { engine, close }
}

/** Runs twenty different statements for many tenants concurrently, and returns what each tenant received. */
const runManyTenants = async ({ engine, close }: OpenedEngine) => {
  const all = await Promise.allSettled(
    Array.from({ length: 300 }, async (_, n) => {
      const scope = { role: 'authsec_app', tenantId: `0190aaaa-bbbb-7ccc-8ddd-${String(n).padStart(12, '0')}` } as const
      const text = `select current_user::text as role, current_setting('app.tenant_id') as "tenantId", ${n % 20} as n`
      const statement: Statement = { text, params: [], arrays: false }
      const rows = await (n % 3 === 0 ? engine.transaction(scope, (run) => run(statement)) : engine.one(scope, statement))
      return { rows, expected: [{ ...scope, n: n % 20 }] }
    }),
  )
  await close()
  return {
    answered: all.filter((one) => one.status === 'fulfilled').map(({ value }) => value),
    refused: all.filter((one) => one.status === 'rejected'),
  }
}

describe.runIf(onServer)('behind a pooler', () => {
  engineContract('smoke: PostgreSQL behind PgBouncer, one privileged login that switches', () => behindPooler(100))

  test.each([100, 3])('every query runs with the role and the tenant of its scope, with %i prepared statements', async (max) => {
    const { answered, refused } = await runManyTenants(await behindPooler(max))
    expect(refused).toEqual([])
    for (const { rows, expected } of answered) expect(rows).toEqual(expected)
  })

  test('a pooler without prepared statements breaks requests, but never returns the result of another query', async () => {
    const { answered, refused } = await runManyTenants(await behindPooler(0))
    expect(refused.length).toBeGreaterThan(0)
    for (const { rows, expected } of answered) expect(rows).toEqual(expected)
  })
})
