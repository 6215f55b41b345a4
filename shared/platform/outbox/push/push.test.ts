import { describe, expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { ConfigError, readConfig } from '#shared/kernel/config'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { type FcmDouble, fcmDouble } from '#tests/support/fcm-double'
import { pushService, vapidKeys } from '#tests/support/push-service'
import { configuredPush } from './configured.ts'
import { fcmPush, parseServiceAccount } from './fcm.ts'
import { localPush } from './local.ts'
import { pushContract, samplePush } from './push.contract.ts'
import { retryAfterSeconds, routedPush } from './push.ts'
import { webPush } from './web-push.ts'

const clock = fixedClock('2026-03-02T09:00:00Z')
const phone = (token: string) => ({ platform: 'android' as const, token })
const browser = (token: string) => ({ platform: 'web' as const, token })
const outbound = (loopback: boolean) => guardedFetch({ resolver: { resolve: async () => [] }, loopback })

pushContract('captured', async () => {
  const push = localPush(clock)
  push.unregister('gone')
  push.fail('failing')
  return {
    push,
    target: phone('a'),
    gone: phone('gone'),
    failing: phone('failing'),
    received: () => push.outbox.map(({ title, body, data, ttlSeconds }) => ({ title, body, data, ttlSeconds })),
    close: async () => undefined,
  }
})

pushContract('FCM', async () => {
  const double = await fcmDouble(() => clock.now())
  return {
    push: fcmPush({ account: double.account, endpoint: double.endpoint, clock }),
    target: phone('a'),
    gone: phone('unregistered-1'),
    failing: phone('quota-1'),
    received: () =>
      double.messages.map(({ notification, data, android }) => ({ ...notification, data, ttlSeconds: Number.parseInt(android.ttl, 10) })),
    close: double.close,
  }
})

pushContract('Web Push', async () => {
  const vapid = vapidKeys()
  const service = await pushService(vapid)
  return {
    push: webPush({ vapid, outbound: outbound(true), clock }),
    target: browser(service.subscription('/abc')),
    gone: browser(service.subscription('/gone')),
    failing: browser(service.subscription('/busy')),
    received: () =>
      service.received.map(({ payload, ttl }) => ({
        ...(payload as { title: string; body: string; data: Record<string, string> }),
        ttlSeconds: Number(ttl),
      })),
    close: service.close,
  }
})

const withFcm = async (work: (double: FcmDouble, push: ReturnType<typeof fcmPush>) => Promise<void>): Promise<void> => {
  const own = fixedClock('2026-03-02T09:00:00Z')
  const double = await fcmDouble(() => own.now())
  try {
    await work(double, fcmPush({ account: double.account, endpoint: double.endpoint, clock: own, timeoutMs: 2000 }))
  } finally {
    await double.close()
  }
}

describe('FCM', () => {
  test('an access token is requested once, and again after it expires', () =>
    withFcm(async (double, push) => {
      await Promise.all([push.send(phone('a'), samplePush), push.send(phone('b'), samplePush)])
      await push.send(phone('c'), samplePush)
      const requested = double.seen.assertions
      double.expire()
      expect(await push.send(phone('d'), samplePush)).toEqual({ result: 'sent' })
      expect(double.seen.assertions).toBe(requested + 1)
      expect(double.messages.map(({ token }) => token).toSorted()).toEqual(['a', 'b', 'c', 'd'])
    }))

  test.each<[string, object]>([
    ['unregistered', { result: 'gone' }],
    ['malformed', { result: 'gone' }],
    ['argument', { result: 'failed', reason: 'INVALID_ARGUMENT' }],
    ['mismatch', { result: 'failed', reason: 'SENDER_ID_MISMATCH' }],
    ['quota', { result: 'failed', reason: 'QUOTA_EXCEEDED', retryAfterSeconds: 60 }],
    ['away', { result: 'failed', reason: 'UNAVAILABLE', retryAfterSeconds: 30 }],
    ['internal', { result: 'failed', reason: 'INTERNAL', retryAfterSeconds: 120 }],
  ])('the documented error %s has its outcome, without a retry', (name, outcome) =>
    withFcm(async (double, push) => {
      expect(await push.send(phone(`${name}-1`), samplePush)).toEqual(outcome)
      expect(double.seen.sends).toBe(1)
    }),
  )

  test('a short Retry-After is followed by one retry only', () =>
    withFcm(async (double, push) => {
      expect(await push.send(phone('blip-1'), samplePush)).toEqual({ result: 'sent' })
      expect(double.seen.sends).toBe(2)
      expect(await push.send(phone('html-1'), samplePush)).toMatchObject({ result: 'failed', reason: 'status_502' })
      expect(double.seen.sends).toBe(4)
    }))

  test('a silent service times out', () =>
    withFcm(async (_, push) => {
      expect(await push.send(phone('slow-1'), samplePush)).toEqual({ result: 'failed', reason: 'timeout' })
    }))

  test('an unreachable service is a failed result, not an exception', async () => {
    const double = await fcmDouble(() => clock.now())
    await double.close()
    expect(await fcmPush({ account: double.account, endpoint: double.endpoint, clock }).send(phone('a'), samplePush)).toMatchObject({
      result: 'failed',
    })
  })

  test('an unknown service account key sends nothing', async () => {
    const [double, other] = [await fcmDouble(() => clock.now()), await fcmDouble(() => clock.now())]
    const account = { ...double.account, private_key: other.account.private_key }
    expect(await fcmPush({ account, endpoint: double.endpoint, clock }).send(phone('a'), samplePush)).toMatchObject({ result: 'failed' })
    expect(double.messages).toEqual([])
    await Promise.all([double.close(), other.close()])
  })

  test('messages to iOS and Android have high priority and an expiry', () =>
    withFcm(async (double, push) => {
      await push.send({ platform: 'ios', token: 'a' }, samplePush)
      const [message] = double.messages
      expect(message?.android).toEqual({ priority: 'HIGH', ttl: '300s' })
      expect(message?.apns.headers).toEqual({ 'apns-priority': '10', 'apns-expiration': String(Date.parse('2026-03-02T09:05:00Z') / 1000) })
    }))

  test('the key file is accepted as JSON or base64; anything else stops the start, and the error does not contain it', async () => {
    const double = await fcmDouble(() => clock.now())
    await double.close()
    const text = JSON.stringify({ type: 'service_account', ...double.account })
    expect(parseServiceAccount(text)).toEqual(double.account)
    expect(parseServiceAccount(Buffer.from(text).toString('base64'))).toEqual(double.account)
    for (const not of ['secret-text', '{"project_id":"secret-text"}', Buffer.from('secret-text').toString('base64')]) {
      expect(() => parseServiceAccount(not)).toThrow(ConfigError)
      expect(() => parseServiceAccount(not)).not.toThrow(/secret-text/)
    }
  })
})

describe('Web Push', () => {
  test('response statuses have their outcomes (RFC 8030 section 5)', async () => {
    const vapid = vapidKeys()
    const service = await pushService(vapid)
    const push = webPush({ vapid, outbound: outbound(true), clock })
    const at = (path: string) => push.send(browser(service.subscription(path)), samplePush)
    expect(await at('/over')).toEqual({ result: 'gone' })
    expect(await at('/busy')).toEqual({ result: 'failed', reason: 'status_429', retryAfterSeconds: 17 })
    expect(await at('/large')).toEqual({ result: 'failed', reason: 'status_413' })
    expect(
      await webPush({ vapid: vapidKeys(), outbound: outbound(true), clock }).send(browser(service.subscription('/a')), samplePush),
    ).toMatchObject({ result: 'failed', reason: 'status_403' })
    expect(service.received).toEqual([])
    await service.close()
  })

  test('a subscription\u2019s endpoint must be on the public internet', async () => {
    const vapid = vapidKeys()
    const service = await pushService(vapid)
    const push = webPush({ vapid, outbound: outbound(false), clock })
    const subscription = JSON.parse(service.subscription('/a')) as { endpoint: string; keys: object }
    for (const endpoint of [
      subscription.endpoint,
      'https://169.254.169.254/latest',
      'https://localhost/a',
      'file:///etc/passwd',
      'https://10.0.0.1/',
    ]) {
      expect(await push.send(browser(JSON.stringify({ ...subscription, endpoint })), samplePush), endpoint).toMatchObject({ result: 'failed' })
    }
    expect(service.received).toEqual([])
    await service.close()
  })

  test('an invalid subscription counts as unregistered', async () => {
    const push = webPush({ vapid: vapidKeys(), outbound: outbound(true), clock })
    for (const token of ['', 'x', '{}', '{"endpoint":"https://a.example","keys":{"p256dh":"x","auth":"y"}}'])
      expect(await push.send(browser(token), samplePush)).toEqual({ result: 'gone' })
  })
})

describe('configured', () => {
  const base = { ENVIRONMENT: 'test', MASTER_KEYS: 'a', HASH_KEY: 'b' }
  const push = (env: Readonly<Record<string, string>>) =>
    configuredPush({ config: readConfig({ ...base, ...env }), clock, outbound: outbound(false) })

  test('a platform without a provider fails with not_configured', async () => {
    for (const target of [phone('a'), browser('b')])
      expect(await push({}).send(target, samplePush)).toEqual({ result: 'failed', reason: 'not_configured' })
    const own = localPush(clock)
    expect(await routedPush({ phones: own, browsers: undefined }).send(phone('a'), samplePush)).toEqual({ result: 'sent' })
    expect(await routedPush({ phones: own, browsers: undefined }).send(browser('a'), samplePush)).toMatchObject({ result: 'failed' })
  })

  test('an incomplete set of Web Push keys stops the start', () => {
    expect(() => push({ VAPID_PUBLIC_KEY: 'x' })).toThrow(/^VAPID_/)
    expect(() => push({ VAPID_PRIVATE_KEY: 'x', VAPID_PUBLIC_KEY: 'y' })).toThrow(/^VAPID_/)
  })
})

test('Retry-After is seconds or a date', () => {
  const now = new Date('2026-03-02T09:00:00Z')
  expect(retryAfterSeconds('120', now)).toBe(120)
  expect(retryAfterSeconds('Mon, 02 Mar 2026 09:01:00 GMT', now)).toBe(60)
  expect(retryAfterSeconds('Mon, 02 Mar 2026 08:00:00 GMT', now)).toBe(0)
  for (const not of [null, undefined, '', 'soon']) expect(retryAfterSeconds(not, now)).toBeUndefined()
})
