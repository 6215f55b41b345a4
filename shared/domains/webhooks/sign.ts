// Signatures of Standard Webhooks 1.0 (standardwebhooks.com).
import { createHmac } from 'node:crypto'
import { unixSeconds } from '#shared/kernel/clock'
import type { Random } from '#shared/kernel/random'

const PREFIX = 'whsec_'
/** The specification requires 24 to 64. */
const SECRET_BYTES = 32

export const newWebhookSecret = (random: Pick<Random, 'bytes'>): string => `${PREFIX}${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64')}`

export type WebhookMessage = { readonly id: string; readonly at: Date; readonly body: string }

const signature = (secret: string, content: string): string =>
  `v1,${createHmac('sha256', Buffer.from(secret.slice(PREFIX.length), 'base64'))
    .update(content)
    .digest('base64')}`

/** The three headers. During a rotation each secret has a signature, and the receiver accepts any of them. */
export const signedHeaders = ({ id, at, body }: WebhookMessage, secrets: readonly string[]): Readonly<Record<string, string>> => {
  const timestamp = String(unixSeconds(at))
  const content = `${id}.${timestamp}.${body}`
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => signature(secret, content)).join(' '),
  }
}
