// A server with the documented format of Google's token endpoint and of Firebase Cloud Messaging HTTP v1, for tests. It validates requests as Google
// does: the assertion's signature, audience and scope, the bearer token, the shape of the message.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import type { ServiceAccount } from '#shared/platform/outbox/push/fcm'

export type FcmMessage = {
  readonly token: string
  readonly notification: { readonly title: string; readonly body: string }
  readonly data: Readonly<Record<string, string>>
  readonly android: { readonly priority: string; readonly ttl: string }
  readonly apns: { readonly headers: Readonly<Record<string, string>> }
}

/** As in the reference of `projects.messages.send`. */
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'
const errorBody = (code: number, status: string, details: readonly object[]) => ({ error: { code, message: status, status, details } })
const fcmError = (code: number, status: string, errorCode: string) => errorBody(code, status, [{ '@type': FCM_ERROR, errorCode }])

type Reply = { readonly status: number; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
const REPLIES: Readonly<Record<string, Reply>> = {
  unregistered: { status: 404, body: fcmError(404, 'NOT_FOUND', 'UNREGISTERED') },
  malformed: {
    status: 400,
    body: errorBody(400, 'INVALID_ARGUMENT', [
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: [{ field: 'message.token', description: 'Invalid registration token' }],
      },
      { '@type': FCM_ERROR, errorCode: 'INVALID_ARGUMENT' },
    ]),
  },
  argument: { status: 400, body: fcmError(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT') },
  mismatch: { status: 403, body: fcmError(403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH') },
  quota: { status: 429, body: fcmError(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED'), headers: { 'retry-after': '60' } },
  away: { status: 503, body: fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE'), headers: { 'retry-after': '30' } },
  internal: { status: 500, body: fcmError(500, 'INTERNAL', 'INTERNAL'), headers: { 'retry-after': '120' } },
  html: { status: 502, body: {} },
}

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
const say = (response: ServerResponse, { status, body, headers }: Reply): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** The token selects the response: one that begins with the name of a reply gets it; `blip-…` fails once; `slow-…` is never answered. */
export const fcmDouble = async (now: () => Date) => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const messages: FcmMessage[] = []
  const seen = { assertions: 0, sends: 0 }
  const blipped = new Set<string>()
  let accepted = ''

  const grant = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await read(request))
    const { payload } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
      audience: account.token_uri,
      issuer: account.client_email,
      currentDate: now(),
    })
    const isFit =
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
      payload.scope === 'https://www.googleapis.com/auth/firebase.messaging'
    if (!isFit) return say(response, { status: 400, body: { error: 'invalid_grant' } })
    accepted = `ya29.${++seen.assertions}`
    say(response, { status: 200, body: { access_token: accepted, expires_in: 3599, token_type: 'Bearer' } })
  }
  const send = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    seen.sends++
    const { message } = JSON.parse(await read(request)) as { message: FcmMessage }
    if (request.headers.authorization !== `Bearer ${accepted}`) return say(response, { status: 401, body: errorBody(401, 'UNAUTHENTICATED', []) })
    if (message.token.startsWith('slow-')) return
    if (message.token.startsWith('blip-') && !blipped.has(message.token)) {
      blipped.add(message.token)
      return say(response, { status: 503, body: fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE'), headers: { 'retry-after': '0' } })
    }
    const told = Object.entries(REPLIES).find(([name]) => message.token.startsWith(`${name}-`))?.[1]
    if (told !== undefined) return say(response, told)
    messages.push(message)
    say(response, { status: 200, body: { name: `projects/acme-test/messages/${messages.length}` } })
  }
  const server = createServer((request, response) => {
    const work =
      request.url === '/token'
        ? grant(request, response)
        : request.url === '/v1/projects/acme-test/messages:send'
          ? send(request, response)
          : undefined
    if (work === undefined) return say(response, { status: 404, body: {} })
    work.catch(() => say(response, { status: 400, body: { error: 'invalid_request' } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const account: ServiceAccount = {
    project_id: 'acme-test',
    client_email: 'push@acme-test.iam.gserviceaccount.com',
    private_key: await exportPKCS8(privateKey),
    token_uri: `${endpoint}/token`,
  }
  return {
    account,
    endpoint,
    messages,
    seen,
    /** The issued access token is no longer valid. */
    expire: () => {
      accepted = 'none'
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
export type FcmDouble = Awaited<ReturnType<typeof fcmDouble>>
