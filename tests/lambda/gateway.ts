// An HTTP API in front of the functions: selects one by the route keys of the deployment, sends it the event that the gateway would send, and returns its response.
// Functions start with their first request; the least recently used ones are stopped, because the server limits connections.
// @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { manifest } from '../../infra/manifest.ts'
import { chosenKey, routeKeys } from '../../infra/routes.ts'
import { answerOf, httpApiEvent } from './events.ts'
import type { LambdaProcess } from './runtime.ts'

const AT_ONCE = 6

export type Gateway = {
  readonly port: number
  /** The functions that were started, by name. */
  readonly started: ReadonlySet<string>
  /** The output of the function, for failures. */
  log(name: string): string
  close(): Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** One value per name: a repeated header becomes a list, cookies are separate. */
const headersOf = (request: IncomingMessage) => {
  const all = new Map<string, string>()
  for (const [name, values] of Object.entries(request.headersDistinct))
    if (!['cookie', 'connection', 'transfer-encoding'].includes(name)) all.set(name, (values ?? []).join(','))
  const cookies = (request.headersDistinct.cookie ?? []).flatMap((line) => line.split(/;\s*/))
  return { headers: Object.fromEntries(all), cookies }
}

/** The gateway passes on the decoded path, cut off where the decoded path contains a question mark. */
const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path).split('?')[0] ?? ''
  } catch {
    return path
  }
}

export const startGateway = async (start: (name: string) => Promise<LambdaProcess>): Promise<Gateway> => {
  const keys = routeKeys(manifest().groups)
  const running = new Map<string, Promise<LambdaProcess>>()
  const started = new Set<string>()
  const logs = new Map<string, () => string>()
  const busy = new Map<string, number>()

  const functionOf = async (name: string): Promise<LambdaProcess> => {
    const known = running.get(name)
    running.delete(name)
    const process = known ?? start(name)
    running.set(name, process)
    started.add(name)
    const idle = [...running].filter(([other]) => other !== name && (busy.get(other) ?? 0) === 0)
    if (running.size > AT_ONCE && idle[0] !== undefined) {
      const [oldest, ending] = idle[0]
      running.delete(oldest)
      await (await ending).stop()
    }
    logs.set(name, (await process).log)
    return process
  }

  const say = (response: ServerResponse, status: number, message: string): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ message }))
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [sentPath = '', ...query] = (request.url ?? '').split('?')
    const path = decoded(sentPath)
    const name = chosenKey(keys, path)?.group
    if (name === undefined) return say(response, 404, 'Not Found')
    const body = await bodyOf(request)
    const event = httpApiEvent({
      ...headersOf(request),
      method: request.method ?? '',
      path,
      query: query.join('?'),
      sourceIp: request.socket.remoteAddress ?? '',
      ...(body.length === 0 ? {} : { body }),
    })
    busy.set(name, (busy.get(name) ?? 0) + 1)
    try {
      const { statusCode, headers, cookies, bytes } = answerOf(await (await functionOf(name)).invoke(event))
      response.writeHead(statusCode, [
        ...Object.entries(headers).flatMap(([header, value]) => (header === 'set-cookie' ? [] : [header, value])),
        ...cookies.flatMap((cookie) => ['set-cookie', cookie]),
      ])
      response.end(request.method === 'HEAD' ? undefined : bytes)
    } catch {
      say(response, 500, 'Internal Server Error')
    } finally {
      busy.set(name, (busy.get(name) ?? 1) - 1)
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    started,
    log: (name) => logs.get(name)?.() ?? '',
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await Promise.all([...running.values()].map(async (process) => (await process).stop()))
    },
  }
}
