// `npm run release:record [-- TEST…]`: runs the suite on the server in TEST_DATABASE_URL and writes the statements that it sent to
// db/releases/VERSION.json.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openDb } from '../engine/client.ts'
import { postgresEngine } from '../engine/postgres.ts'
import { migrate } from '../migrations/migrate.ts'
import { captureStatements, columnsOf, migrationsIn, type RecordedStatement, type Snapshot } from './snapshot.ts'

const server = process.env.TEST_DATABASE_URL
if (server === undefined) throw new Error('TEST_DATABASE_URL: must be set; see scripts/services.sh')
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const folder = mkdtempSync(join(tmpdir(), 'authsec-statements-'))

const { status } = spawnSync('npx', ['vitest', 'run', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, RECORD_STATEMENTS: folder },
})
if (status !== 0) process.stderr.write('The suite failed: the recorded statements are incomplete and should not be kept.\n')

const name = `authsec_release_${process.pid}`
const admin = new pg.Client({ connectionString: server })
await admin.connect()
await admin.query(`create database ${name}`)
const own = new URL(server)
own.pathname = `/${name}`
const engine = postgresEngine({ url: own.href })
await migrate(openDb(engine), new Date())
await engine.close()
const session = new pg.Client({ connectionString: own.href })
await session.connect()
/** Lists of values vary in length; one of each is kept. */
const normalise = ({ role, text }: RecordedStatement): string =>
  `${role} ${text.replace(/\$\d+(, ?\$\d+)*/g, '$').replace(/(\((\$|default)(, (\$|default))*\)(, )?)+/g, '($)')}`
const reported = new Map<string, RecordedStatement>()
for (const file of readdirSync(folder)) {
  for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
    if (line === '') continue
    const one = JSON.parse(line) as RecordedStatement
    if (!reported.has(normalise(one))) reported.set(normalise(one), one)
  }
}
rmSync(folder, { recursive: true })
const distinct = [...reported.values()].toSorted((a, b) => a.role.localeCompare(b.role) || a.text.localeCompare(b.text))
const whole: Snapshot = { version, statements: distinct, columns: await columnsOf(session), migrations: migrationsIn() }
const snapshot: Snapshot = { ...whole, statements: await captureStatements(session, whole) }
await session.end()
await admin.query(`drop database ${name} with (force)`)
await admin.end()
writeFileSync(`db/releases/${version}.json`, `${JSON.stringify(snapshot, null, 1)}\n`)
process.stdout.write(
  `db/releases/${version}.json: ${snapshot.statements.length} statements of ${distinct.length}, ${Object.keys(snapshot.columns).length} tables\n`,
)
