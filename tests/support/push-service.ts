// A push service (RFC 8030) for tests, with the browser behind it: it checks the VAPID token (RFC 8292) and decrypts the message (RFC 8291).
import { createECDH, type ECDH, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { importJWK, jwtVerify } from 'jose'
import type { VapidKeys } from '#shared/platform/outbox/push/web-push'

/** The codec of the `web-push` package, which ships no types. */
type Decrypt = (body: Buffer, options: { version: 'aes128gcm'; privateKey: ECDH; authSecret: string }) => Buffer
const { decrypt } = createRequire(import.meta.url)('http_ece') as { decrypt: Decrypt }

const url64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

const keyPair = (): ECDH => {
  const keys = createECDH('prime256v1')
  keys.generateKeys()
  return keys
}

export const vapidKeys = (): VapidKeys => {
  const keys = keyPair()
  // A private key may have leading zeros, which ECDH omits.
  const privateKey = Buffer.concat([Buffer.alloc(32), keys.getPrivateKey()]).subarray(-32)
  return { subject: 'mailto:ops@acme.example', publicKey: url64(keys.getPublicKey()), privateKey: url64(privateKey) }
}

const publicJwk = (point: Buffer) => ({ kty: 'EC', crv: 'P-256', x: url64(point.subarray(1, 33)), y: url64(point.subarray(33, 65)) })

export type ReceivedPushRequest = { readonly payload: unknown; readonly ttl: string | undefined; readonly urgency: string | undefined }

/** The path selects the response: `/gone`, `/over`, `/busy`, `/large`; any other is accepted. */
export const pushService = async (vapid: VapidKeys) => {
  const browser = keyPair()
  const authSecret = url64(randomBytes(16))
  const received: ReceivedPushRequest[] = []
  const STATUS: Readonly<Record<string, number>> = { '/gone': 410, '/over': 404, '/busy': 429, '/large': 413 }

  const take = async (request: IncomingMessage): Promise<number> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(request.headers.authorization ?? '') ?? []
    if (key !== vapid.publicKey) return 403
    await jwtVerify(token, await importJWK(publicJwk(Buffer.from(key, 'base64url')), 'ES256'), { audience: origin, subject: vapid.subject })
    const told = STATUS[request.url ?? '']
    if (told !== undefined) return told
    if (request.headers['content-encoding'] !== 'aes128gcm') return 400
    const plain = decrypt(Buffer.concat(chunks), { version: 'aes128gcm', privateKey: browser, authSecret })
    const { ttl, urgency } = request.headers
    received.push({ payload: JSON.parse(plain.toString('utf8')), ttl: String(ttl), urgency: String(urgency) })
    return 201
  }
  const server = createServer((request, response) => {
    take(request).then(
      (status) => response.writeHead(status, status === 429 ? { 'retry-after': '17' } : {}).end(),
      () => response.writeHead(403).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    received,
    /** The token of a browser whose subscription is at that path. */
    subscription: (path: string) =>
      JSON.stringify({ endpoint: `${origin}${path}`, keys: { p256dh: url64(browser.getPublicKey()), auth: authSecret } }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
