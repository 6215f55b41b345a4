// The engine contract with Neon's driver over HTTP and WebSockets, against a bridge to the suite's own server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { TEST_LOGIN_PASSWORD, testDatabase } from '#tests/support/database'
import { type NeonBridge, neonBridge } from '../testing/neon-bridge.ts'
import { DatabaseUnavailable, type Engine } from './client.ts'
import { engineContract } from './engine.contract.ts'
import { neonEngine } from './neon.ts'

/** The driver requires a host name with a domain and a password; the bridge replaces the host by its own server. */
const loginOf = (url: string, user: string): string => {
  const out = new URL(url)
  out.hostname = 'db.example.com'
  out.port = ''
  out.username = user
  out.password = TEST_LOGIN_PASSWORD
  return out.href
}

const open = async () => {
  const { url = '' } = await testDatabase()
  const { hostname, port } = new URL(url)
  const bridge = await neonBridge(hostname, Number(port || 5432))
  const owner = new URL(loginOf(url, new URL(url).username))
  const engine = neonEngine({
    url: loginOf(url, 'authsec_app'),
    jobsUrl: loginOf(url, 'authsec_jobs'),
    ownerUrl: owner.href,
    webSocket: WebSocket,
    bridge: bridge.at,
  })
  return { engine, bridge }
}

engineContract('PostgreSQL through Neon’s driver', async () => {
  const { engine, bridge } = await open()
  const close = async (): Promise<void> => {
    await engine.close()
    await bridge.close()
  }
  return { engine, close }
})

describe('Neon', () => {
  let engine: Engine
  let bridge: NeonBridge
  beforeAll(async () => {
    ;({ engine, bridge } = await open())
  })
  afterAll(() => engine.close())
  const one = { text: 'select current_user as who', params: [], arrays: false }

  test('a read under row level security is one request with its role and tenant', async () => {
    const before = bridge.requests()
    const tenantId = '0190b0a0-0000-7000-8000-00000000000f'
    const text = "select current_user as who, current_setting('app.tenant_id') as tenant"
    expect(await engine.one({ role: 'authsec_app', tenantId }, { ...one, text })).toEqual([{ who: 'authsec_app', tenant: tenantId }])
    expect(bridge.requests() - before).toBe(1)
  })

  test('an unreachable bridge is DatabaseUnavailable', async () => {
    await bridge.close()
    expect(await engine.one({ role: 'authsec_app', tenantId: '' }, one).catch((error: unknown) => error)).toBeInstanceOf(DatabaseUnavailable)
    const transaction = engine.transaction({ role: 'authsec_app', tenantId: '' }, (run) => run(one))
    expect(await transaction.catch((error: unknown) => error)).toBeInstanceOf(DatabaseUnavailable)
  })
})
