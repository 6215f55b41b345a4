// PostgreSQL and Redis for the soak test only: they are killed and flushed. PostgreSQL refuses to run as root, so it runs as its own user there.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../tests/peers/free-port.ts'

const VERSIONS = '/usr/lib/postgresql'

export type Servers = {
  readonly databaseUrl: string
  readonly redisUrl: string
  /** Kills the server without a clean shutdown, as a crash does, and starts it again. */
  restartDatabase(): Promise<void>
  flushCache(): Promise<void>
  stop(): Promise<void>
}

const binaries = (): string => {
  const newest = readdirSync(VERSIONS).toSorted((a, b) => Number(b) - Number(a))[0]
  if (newest === undefined) throw new Error('PostgreSQL is not installed; see scripts/services.sh')
  return join(VERSIONS, newest, 'bin')
}

/** With writes as durable as in production: `fsync` stays on. */
const startDatabase = async (folder: string) => {
  const port = await freePort()
  const bin = binaries()
  const data = join(folder, 'data')
  const asPostgres = (command: string): void => {
    const isRoot = process.getuid?.() === 0
    execFileSync(isRoot ? 'su' : 'sh', [...(isRoot ? ['postgres'] : []), '-c', command], { stdio: 'ignore', cwd: folder })
  }
  const start = (): void =>
    asPostgres(`${bin}/pg_ctl -D ${data} -w -l ${join(folder, 'postgres.log')} -o "-p ${port} -k ${folder} -c listen_addresses=127.0.0.1" start`)
  asPostgres(`${bin}/initdb -D ${data} -A trust -U postgres`)
  start()
  const stop = (): void => asPostgres(`${bin}/pg_ctl -D ${data} -m immediate stop`)
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, start, stop }
}

export const startServers = async (): Promise<Servers> => {
  const folder = mkdtempSync(join(tmpdir(), 'authsec-soak-'))
  chmodSync(folder, 0o777)
  const database = await startDatabase(folder)
  const port = await freePort()
  const cache = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
    cwd: folder,
  })
  const redisUrl = `redis://127.0.0.1:${port}`
  const redis = new Redis(redisUrl, { retryStrategy: () => 100, maxRetriesPerRequest: null })
  // Fails while the server is starting, and after it was killed.
  redis.on('error', () => undefined)
  await redis.ping()
  return {
    databaseUrl: database.url,
    redisUrl,
    restartDatabase: async () => {
      database.stop()
      await wait(1000)
      database.start()
    },
    flushCache: async () => void (await redis.flushall()),
    stop: async () => {
      redis.disconnect()
      cache.kill('SIGKILL')
      database.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
