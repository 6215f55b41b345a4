import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { afterAll, expect, test } from 'vitest'
import { isOutOfSpace, openDb } from './client.ts'
import { checkFolderVersion, EMBEDDED, FolderVersion, freeBytes, NoRoom, openFolder } from './folder.ts'
import { FolderLocked, lockFolder } from './folder-lock.ts'
import { asTenantId, forTenant } from './tenant.ts'

const room = mkdtempSync(join(tmpdir(), 'authsec-folder-'))
const children: ChildProcessByStdio<null, Readable, null>[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(room, { recursive: true, force: true })
})

const childFile = fileURLToPath(new URL('../testing/folder-child.ts', import.meta.url))
/** A child process with its output lines and a way to kill it. */
const start = (...args: readonly string[]) => {
  const child = spawn(process.execPath, ['--import', 'tsx', childFile, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    pid: child.pid ?? 0,
    line: async (): Promise<string> => String((await lines.next()).value),
    kill: async (): Promise<void> => {
      child.kill('SIGKILL')
      await gone
    },
    rest: async (): Promise<string[]> => {
      const rest: string[] = []
      for (let next = await lines.next(); !next.done; next = await lines.next()) rest.push(next.value)
      return rest
    },
  }
}

const signalStart = (folder: string): void => writeFileSync(`${folder}.go`, '')
const failure = (work: () => unknown): Error => {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('did not fail')
}

test('a folder held by another process is refused with its id, start and host; kill -9 of that process frees it', async () => {
  const folder = join(room, 'held')
  const holder = start('lock', folder)
  expect(await holder.line()).toBe('ready')
  signalStart(folder)
  expect(await holder.line()).toBe('locked')
  const refusal = failure(() => lockFolder(folder))
  expect(refusal).toBeInstanceOf(FolderLocked)
  expect(refusal.message).toMatch(new RegExp(`in use by process ${holder.pid} on host ${hostname()}, started \\d{4}-\\d\\d-\\d\\dT`))
  await holder.kill()
  const lock = lockFolder(folder)
  lock.release()
  lock.release()
  lockFolder(folder).release()
  expect(readdirSync(room).filter((name) => name.startsWith('held.'))).toEqual(['held.go'])
})

test('a process cannot lock a folder twice, whatever the spelling of the path', () => {
  const folder = join(room, 'twice')
  const lock = lockFolder(folder)
  expect(failure(() => lockFolder(`${room}/./twice/`)).message).toContain(`this process (${process.pid}`)
  lock.release()
})

const lockText = (change: object): string =>
  JSON.stringify({ pid: 999_999_999, host: hostname(), startedAt: '2026-01-01T00:00:00.000Z', ticks: '1', boot: '', token: 'dead', ...change })

test('a lock is taken over when its process id now belongs to a later process or comes from an earlier boot', () => {
  for (const [name, change] of Object.entries({ reused: { pid: process.pid, ticks: '1' }, rebooted: { pid: process.pid, boot: 'another' } })) {
    const folder = join(room, name)
    writeFileSync(`${folder}.lock`, lockText(change))
    const lock = lockFolder(folder)
    expect(JSON.parse(readFileSync(`${folder}.lock`, 'utf8'))).toMatchObject({ pid: process.pid, token: expect.not.stringMatching(/^dead$/) })
    lock.release()
    expect(existsSync(`${folder}.lock`)).toBe(false)
  }
})

test('a lock of another host or an invalid lock is never taken over; the message names the file to remove', () => {
  const folder = join(room, 'foreign')
  writeFileSync(`${folder}.lock`, lockText({ host: 'elsewhere.example' }))
  expect(failure(() => lockFolder(folder)).message).toMatch(/on host elsewhere\.example.*If that host is gone, remove .*foreign\.lock/)
  writeFileSync(`${folder}.lock`, '{"pid":')
  expect(failure(() => lockFolder(folder)).message).toMatch(/remove that file/)
  expect(readFileSync(`${folder}.lock`, 'utf8')).toBe('{"pid":')
})

test('of five processes that take over a dead lock concurrently exactly one succeeds, also after an interrupted takeover', async () => {
  const rounds = Array.from({ length: 40 }, (_, n) => join(room, `race-${n}`))
  const contenders = Array.from({ length: 5 }, () => start('lock', ...rounds))
  for (const contender of contenders) expect(await contender.line()).toBe('ready')
  for (const [n, folder] of rounds.entries()) {
    if (n % 3 > 0) writeFileSync(`${folder}.lock`, lockText({}))
    if (n % 3 > 1) writeFileSync(`${folder}.lock.after-dead`, lockText({ token: 'dead too' }))
    signalStart(folder)
    const answers = await Promise.all(contenders.map((contender) => contender.line()))
    expect(answers.filter((answer) => answer === 'locked')).toHaveLength(1)
    expect(answers.filter((answer) => answer.startsWith('FolderLocked: '))).toHaveLength(4)
  }
  for (const contender of contenders) await contender.kill()
}, 60_000)

test('a killed writer loses no acknowledged write, and the folder opens at once', async () => {
  const folder = join(room, 'killed')
  const writer = start('write', folder)
  for (let n = 1; n <= 25; n++) expect(await writer.line()).toBe(String(n))
  await writer.kill()
  const acknowledged = 25 + (await writer.rest()).length
  const { engine, release } = await openFolder(folder)
  const t = forTenant(openDb(engine), asTenantId('00000000-0000-4000-8000-000000000001'))
  const rows = await t.db.execute<{ count: number }>(sql`select count from authsec.tenant_usage order by count`)
  expect(rows.map((row) => row.count).slice(0, acknowledged)).toEqual(Array.from({ length: acknowledged }, (_, n) => n + 1))
  await expect(openFolder(folder)).rejects.toBeInstanceOf(FolderLocked)
  await release()
  await engine.close()
  writeFileSync(join(folder, 'AUTHSEC_ENGINE'), '0.4\n')
  await expect(openFolder(folder)).rejects.toThrow(/PGlite 0\.4.*npm run db:export.*npm run db:import/)
  await expect(openFolder(folder)).rejects.toBeInstanceOf(FolderVersion)
}, 120_000)

test('a folder of another PostgreSQL major version is refused with instructions; a folder of other files is not changed', () => {
  const old = mkdtempSync(join(room, 'old-'))
  writeFileSync(join(old, 'PG_VERSION'), '17\n')
  const refusal = failure(() => checkFolderVersion(old))
  expect(refusal).toBeInstanceOf(FolderVersion)
  expect(refusal.message).toMatch(/PostgreSQL 17.*npm run db:export.*npm run db:import/)
  const other = mkdtempSync(join(room, 'other-'))
  writeFileSync(join(other, 'notes.txt'), '')
  expect(failure(() => checkFolderVersion(other)).message).toMatch(/not empty and holds no database/)
  expect(checkFolderVersion(join(room, 'missing'))).toBe(false)
})

test('EMBEDDED names the versions of the installed package', () => {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'))
  const { version } = JSON.parse(readFileSync(entry.replace(/dist\/.*$/, 'package.json'), 'utf8')) as { version: string }
  expect(version.startsWith(`${EMBEDDED.pglite}.`)).toBe(true)
  const wasm = readFileSync(entry.replace(/[^/]+$/, 'pglite.wasm'), 'latin1')
  expect(wasm).toContain(`PostgreSQL ${EMBEDDED.postgres}.`)
})

test('without room on the disk nothing is opened, and nothing that may write is sent to the engine, which would stop for ever; reads are', async () => {
  const [folder, disk] = [join(room, 'cramped'), { free: 0 }]
  const free = () => disk.free
  await expect(openFolder(folder, free)).rejects.toBeInstanceOf(NoRoom)
  await expect(openFolder(folder, free)).rejects.toThrow(/^The disk of the data folder .*cramped is full: at least 48 MiB must be free\.$/)
  disk.free = 2 ** 40
  const { engine, release } = await openFolder(folder, free)
  const scope = { role: 'authsec_app', tenantId: '' } as const
  await engine.script('login', 'create role authsec_app; create table things (id int); grant all on things to authsec_app')
  const [insert, select] = ['insert into things values (1)', 'select count(*)::int as n from things'].map((text) => ({
    text,
    params: [],
    arrays: false,
  }))
  if (insert === undefined || select === undefined) throw new Error('two statements')
  await engine.one(scope, insert)
  disk.free = 1024
  await wait(300)
  const refused = [engine.one(scope, insert), engine.transaction(scope, (run) => run(insert)), engine.script('login', insert.text)]
  for (const outcome of await Promise.allSettled(refused)) expect(outcome.status === 'rejected' && isOutOfSpace(outcome.reason)).toBe(true)
  expect(await engine.one(scope, select)).toEqual([{ n: 1 }])
  disk.free = 2 ** 40
  await engine.transaction(scope, (run) => run(insert))
  expect(await engine.one(scope, select)).toEqual([{ n: 2 }])
  await release()
  expect(freeBytes(folder)).toBeGreaterThan(0)
})
