// One message to one endpoint: built, signed and sent.

import type { TenantDb } from '#db/engine/tenant'
import type { WebhookEndpoint } from '#db/store/webhooks'
import type { PresentedEvent } from '#shared/domains/audit/presentation'
import type { BaseCtx } from '#shared/domains/context'
import { SealError } from '#shared/platform/crypto/seal'
import { FetchFailure, type Outbound } from '#shared/platform/fetch/guarded'
import { signedHeaders } from './sign.ts'

export type MessageContext = Pick<BaseCtx, 'clock' | 'keyring'> & { readonly outbound: Outbound }

/** Binds the sealed secret to its row. */
export const secretContext = (endpointId: string): string => `webhook_endpoints:${endpointId}`

/** `type`, `timestamp` and `data` (Standard Webhooks). The origin of an event is included only where the tenant chose that. */
export const messageBody = (event: PresentedEvent, includeOrigin: boolean): string => {
  const { address, user_agent, ...rest } = event
  return JSON.stringify({ type: event.event, timestamp: event.at, data: includeOrigin ? { ...rest, address, user_agent } : rest })
}

/** The secret, and the previous one during a rotation. A damaged or moved secret is skipped, so that it cannot stop the sender. */
const secretsOf = async (ctx: MessageContext, t: TenantDb, endpoint: WebhookEndpoint): Promise<readonly string[]> => {
  const overlaps = endpoint.previousValidUntil !== null && endpoint.previousValidUntil > ctx.clock.now()
  const sealed = [endpoint.sealedSecret, ...(overlaps && endpoint.previousSealedSecret !== null ? [endpoint.previousSealedSecret] : [])]
  const open = (bytes: Uint8Array): Promise<string | undefined> =>
    ctx.keyring.open(t, t.tenantId, bytes, secretContext(endpoint.id)).catch((error: unknown) => {
      if (error instanceof SealError) return undefined
      throw error
    })
  const opened = await Promise.all(sealed.map(open))
  return opened.filter((secret) => secret !== undefined)
}

export type DeliveryOutcome =
  | { readonly delivered: true; readonly status: number }
  | { readonly delivered: false; readonly status: number | undefined; readonly failure: string; readonly retryAfterSeconds?: number }

const MAX_RETRY_AFTER_SECONDS = 3 * 3600
const retryAfter = (header: string | undefined): { readonly retryAfterSeconds?: number } =>
  header !== undefined && /^\d{1,9}$/.test(header) ? { retryAfterSeconds: Math.min(Number(header), MAX_RETRY_AFTER_SECONDS) } : {}

/** Sends once. An answer of 2xx within the guarded fetch's limits means delivered; only the status and Retry-After are read. */
export const sendWebhookMessage = async (
  ctx: MessageContext,
  t: TenantDb,
  endpoint: WebhookEndpoint,
  message: { readonly id: string; readonly body: string },
): Promise<DeliveryOutcome> => {
  const secrets = await secretsOf(ctx, t, endpoint)
  if (secrets.length === 0) return { delivered: false, status: undefined, failure: 'secret_unreadable' }
  const signed = signedHeaders({ ...message, at: ctx.clock.now() }, secrets)
  try {
    const { status, header } = await ctx.outbound.send({
      url: endpoint.url,
      method: 'POST',
      headers: { ...signed, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(message.body)) },
      body: message.body,
    })
    if (status >= 200 && status < 300) return { delivered: true, status }
    return { delivered: false, status, failure: `status_${status}`, ...retryAfter(header('retry-after')) }
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error
    return { delivered: false, status: undefined, failure: error.reason }
  }
}
