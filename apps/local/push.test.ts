// Pushes of the local system are captured and also sent to browsers on this machine.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { systemRandom } from '#shared/kernel/random'
import { localPush } from '#shared/platform/outbox/push/local'
import type { Push, PushOutcome, PushTarget } from '#shared/platform/outbox/push/push'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import { sealedFileSecrets } from '#shared/platform/secrets/sealed-file'
import { TEST_START } from '#tests/support/app'
import { withBrowserPush, withPushKeys } from './drivers.ts'

const clock = fixedClock(TEST_START)
const folder = await mkdtemp(join(tmpdir(), 'push-keys-'))
afterAll(() => rm(folder, { recursive: true }))

test('a single-machine system generates its own push keys and keeps them; configured keys, configured secrets and production prevent that', async () => {
  const secrets = sealedFileSecrets(folder, systemRandom(clock))
  const first = await withPushKeys(readConfig({}), secrets)
  expect(first.VAPID_PUBLIC_KEY).toMatch(/^B[\w-]{86}$/)
  expect(await withPushKeys(readConfig({}), secrets)).toEqual(first)
  const given = readConfig({ VAPID_PUBLIC_KEY: 'a', VAPID_PRIVATE_KEY: 'b', VAPID_SUBJECT: 'mailto:a@b.example' })
  expect(await withPushKeys(given, secrets)).toBe(given)
  const outside = readConfig({ MASTER_KEYS: 'm1:x' })
  expect(await withPushKeys(outside, environmentSecrets({}))).toBe(outside)
  const production = { ...readConfig({}), ENVIRONMENT: 'production' as const }
  expect(await withPushKeys(production, secrets)).toBe(production)
})

test('a push to a browser is captured and sent; it counts as sent without a network; a subscription that is gone is reported as gone', async () => {
  const captured = localPush(clock)
  const asked: PushTarget[] = []
  let outcome: PushOutcome = { result: 'sent' }
  const real: Push = {
    send: async (target) => {
      asked.push(target)
      return outcome
    },
  }
  const push = withBrowserPush(captured, real)
  const message = { title: 't', body: 'b', data: {}, ttlSeconds: 60 }
  expect(await push.send({ platform: 'ios', token: 'phone' }, message)).toEqual({ result: 'sent' })
  expect(asked).toEqual([])
  expect(await push.send({ platform: 'web', token: 'browser' }, message)).toEqual({ result: 'sent' })
  outcome = { result: 'failed', reason: 'refused' }
  expect(await push.send({ platform: 'web', token: 'browser' }, message)).toEqual({ result: 'sent' })
  outcome = { result: 'gone' }
  expect(await push.send({ platform: 'web', token: 'browser' }, message)).toEqual({ result: 'gone' })
  expect([asked.length, captured.outbox.length]).toEqual([3, 4])
})
