import { expect, test } from 'vitest'
import { systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { fitsSignature } from '#tests/support/webhook-receiver'
import { newWebhookSecret, signedHeaders } from './sign.ts'

// The example of Standard Webhooks.
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: new Date(1614265330_000), body: '{"test": 2432232314}' }
const random = systemRandom(systemClock)

test('the specification’s example has the given signature', () => {
  expect(signedHeaders(message, [secret])).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('a message with two signatures is accepted with either secret, and with no other', async () => {
  const [before, now, other] = [newWebhookSecret(random), newWebhookSecret(random), newWebhookSecret(random)]
  const headers = signedHeaders(message, [now, before])
  expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
  const received = { headers, body: message.body }
  expect(await Promise.all([now, before, other].map((known) => fitsSignature(known, received)))).toEqual([true, true, false])
  for (const changed of [
    { ...received, body: '{"test": 2432232315}' },
    { ...received, headers: { ...headers, 'webhook-id': 'msg_other' } },
    { ...received, headers: { ...headers, 'webhook-timestamp': '1614265331' } },
  ])
    expect(await fitsSignature(now, changed)).toBe(false)
})

test('a secret has the prefix and 32 random bytes', () => {
  const secrets = Array.from({ length: 20 }, () => newWebhookSecret(random))
  for (const one of secrets) expect(Buffer.from(one.replace(/^whsec_/, ''), 'base64')).toHaveLength(32)
  expect(new Set(secrets).size).toBe(20)
})
