// Stands in for Upstash in front of a Redis server: its REST API (a command or a transaction as JSON arrays; responses in base64 on request).
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'

export type UpstashBridge = { readonly url: string; readonly token: string; requests(): number; close(): Promise<void> }

const read = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

/** All texts except the literal OK, as the service does. */
const encoded = (reply: unknown): unknown => {
  if (Array.isArray(reply)) return reply.map(encoded)
  return typeof reply === 'string' && reply !== 'OK' ? Buffer.from(reply).toString('base64') : reply
}

export const upstashBridge = async (redisUrl: string): Promise<UpstashBridge> => {
  const redis = new Redis(redisUrl)
  const token = 'bridge-token'
  let requests = 0
  const run = async (command: readonly unknown[]) => {
    const [name = '', ...args] = command.map(String)
    try {
      // In capitals, otherwise the client would convert some replies to objects.
      return { result: await redis.call(name.toUpperCase(), ...args) }
    } catch (error) {
      return { error: (error as Error).message }
    }
  }
  const transaction = async (commands: readonly (readonly unknown[])[]) => {
    const replies = await redis.multi(commands.map((command) => command.map(String))).exec()
    return (replies ?? []).map(([error, result]) => (error === null ? { result } : { error: error.message }))
  }
  const server = createServer(async (request, response) => {
    requests += 1
    if (request.headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end(JSON.stringify({ error: 'Unauthorized' }))
    const sent = (await read(request)) as readonly never[]
    const answer = request.url === '/multi-exec' ? await transaction(sent) : await run(sent)
    const shown = JSON.stringify(answer, (key, value) =>
      key === 'result' && request.headers['upstash-encoding'] === 'base64' ? encoded(value) : value,
    )
    return response.writeHead('error' in answer ? 400 : 200, { 'content-type': 'application/json' }).end(shown)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    requests: () => requests,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      redis.disconnect()
    },
  }
}
