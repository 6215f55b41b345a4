import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { fixedClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { VERSION } from '#shared/kernel/version'
import { memoryCache } from '#shared/platform/cache/memory'
import { redisCache } from '#shared/platform/cache/redis'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { testDb } from '#tests/support/database'
import { HealthHealthy, HealthUnhealthy } from './health.schema.ts'
import { checkHealth, delegatedHealth } from './health.ts'

const clock = fixedClock('2026-03-01T12:00:00Z')
const random = systemRandom(clock)
const keyring = createKeyring({ masterKeys: [{ id: 'first', key: random.bytes(32) }], clock, random })
const storage = { isFull: () => false }
const ctx = { db: await testDb(), storage, cache: memoryCache(clock), clock, keyring }

const open: Server[] = []
/** A server that accepts connections and never responds. */
const silent = async (): Promise<number> => {
  const server = createServer()
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})
const closedPort = 1

const operational = { healthy: true, message: 'operational' }
const unavailable = { healthy: false, message: 'unavailable' }

test('is healthy if every part answers, and returns only the status', async () => {
  const { status, body } = await checkHealth(ctx)
  expect(status).toBe(200)
  expect(HealthHealthy.parse(body)).toEqual({
    status: 'healthy',
    timestamp: '2026-03-01T12:00:00.000Z',
    version: VERSION,
    database: 'connected',
    checks: { database: operational, redis_cache: operational, vault: operational, system: operational, metrics: operational },
    response_time_ms: 0,
  })
})

test.each([
  ['refuses connections', async () => closedPort],
  ['never answers', silent],
])('is soon unhealthy if the database %s', async (_, port) => {
  const away = openDb(postgresEngine({ url: `postgres://ana:hidden@127.0.0.1:${await port()}/secret_name` }))
  const { status, body } = await checkHealth({ ...ctx, db: away })
  expect(status).toBe(503)
  expect(HealthUnhealthy.parse(body)).toMatchObject({
    status: 'unhealthy',
    database: 'disconnected',
    checks: { database: unavailable, redis_cache: operational },
  })
  expect(body).not.toHaveProperty('response_time_ms')
  expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|secret_name|hidden|ECONN/)
})

test.each([
  ['refuses connections', async () => closedPort],
  ['never answers', silent],
])('is soon degraded, and still serves, if the cache %s', async (_, port) => {
  const away = redisCache(`redis://127.0.0.1:${await port()}`, clock)
  const { status, body } = await checkHealth({ ...ctx, cache: away })
  await away.close().catch(() => undefined)
  expect(status).toBe(200)
  expect(HealthHealthy.parse(body)).toMatchObject({
    status: 'degraded',
    checks: { database: operational, redis_cache: unavailable, metrics: { healthy: false } },
  })
})

test('is unhealthy if the master key cannot open what it sealed', async () => {
  const other = createKeyring({ masterKeys: [{ id: 'second', key: random.bytes(32) }], clock, random })
  const torn = { ...keyring, openForDeployment: other.openForDeployment }
  const { status, body } = await checkHealth({ ...ctx, keyring: torn })
  expect(status).toBe(503)
  expect(body.checks).toMatchObject({ database: operational, vault: unavailable })
})

test('the health of a tenant is that of the deployment, without any lookup', async () => {
  expect(await delegatedHealth()).toEqual({ status: 'delegated', message: expect.any(String) })
})
