// A tenant's system that receives webhooks, for tests: a real server, and a signature check written only from the specification's text, not from our signer.
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ReceivedWebhook = { readonly headers: IncomingHttpHeaders; readonly body: string }
type Answer = (received: ReceivedWebhook, response: ServerResponse) => void

/**
 * "Verifying webhook authenticity": the signed content is id, timestamp and body joined by full stops; the secret is base64 after `whsec_`; the header contains
 * signatures separated by spaces, each a version, a comma and base64; one valid signature is enough.
 */
export const fitsSignature = async (secret: string, { headers, body }: ReceivedWebhook): Promise<boolean> => {
  const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, '')), (character) => character.charCodeAt(0))
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
  const content = new TextEncoder().encode(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
  for (const part of String(headers['webhook-signature']).split(' ')) {
    const [version, value = ''] = part.split(',')
    if (version !== 'v1') continue
    const signature = Uint8Array.from(atob(value), (character) => character.charCodeAt(0))
    if (await crypto.subtle.verify('HMAC', key, signature, content)) return true
  }
  return false
}

/** Accepts everything with 204 by default. */
export const webhookReceiver = async () => {
  const received: ReceivedWebhook[] = []
  let answer: Answer = (_, response) => void response.writeHead(204).end()
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const message = { headers: request.headers, body: Buffer.concat(chunks).toString() }
    received.push(message)
    answer(message, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`,
    received,
    /** Ids of messages in the order of their arrival. */
    ids: (): string[] => received.map(({ headers }) => String(headers['webhook-id'])),
    answerWith: (next: Answer): void => {
      answer = next
    },
    close: (): void => {
      server.closeAllConnections()
      server.close()
    },
  }
}
export type WebhookReceiver = Awaited<ReturnType<typeof webhookReceiver>>
