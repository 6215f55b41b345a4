// Imitates Neon's proxy in front of a PostgreSQL server: WebSockets forwarded to TCP, and the HTTP endpoint that runs a batch as one transaction.
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import pg from 'pg'
import { WebSocketServer } from 'ws'

export type NeonBridge = {
  /** `host:port` */
  readonly at: string
  /** Number of HTTP requests. */
  requests(): number
  close(): Promise<void>
}

const CONNECTIONS_PER_LOGIN = 8

type Query = { readonly query: string; readonly params?: readonly unknown[] }
type Failed = Error & { readonly code?: string; readonly severity?: string; readonly detail?: string; readonly constraint?: string }

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** Every value as the server's text, as Neon returns it with `Neon-Raw-Text-Output`. */
const raw = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig

const answer = async (client: pg.PoolClient, { query, params = [] }: Query) => {
  const { command, rowCount, rows, fields } = await client.query({ text: query, values: [...params], rowMode: 'array', types: raw })
  return { command, rowCount, rows, fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })), rowAsArray: true }
}

const runBatch = async (pool: pg.Pool, sent: string): Promise<{ readonly status: number; readonly body: unknown }> => {
  const client = await pool.connect()
  try {
    const { queries, ...single } = JSON.parse(sent) as { readonly queries?: readonly Query[] } & Query
    if (queries === undefined) return { status: 200, body: await answer(client, single) }
    await client.query('begin')
    const results = []
    for (const one of queries) results.push(await answer(client, one))
    await client.query('commit')
    return { status: 200, body: { results } }
  } catch (error) {
    await client.query('rollback')
    const { message, code, severity, detail, constraint } = error as Failed
    return { status: 400, body: { message, code, severity, detail, constraint } }
  } finally {
    client.release()
  }
}

export const neonBridge = async (host: string, port: number): Promise<NeonBridge> => {
  let requests = 0
  // Like Neon's pooler: a request waits for one of a few connections.
  const pools = new Map<string, pg.Pool>()
  const poolOf = (connectionString: string): pg.Pool => {
    const pool = pools.get(connectionString) ?? new pg.Pool({ connectionString, max: CONNECTIONS_PER_LOGIN })
    pools.set(connectionString, pool)
    return pool
  }
  const server = createServer(async (request, response) => {
    requests += 1
    const url = new URL(String(request.headers['neon-connection-string']))
    url.hostname = host
    url.port = String(port)
    const { status, body } = await runBatch(poolOf(url.href), await read(request))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (near) => {
    const far = connect(port, host)
    near.on('message', (data: Buffer) => far.write(data))
    near.on('close', () => far.destroy())
    far.on('data', (chunk) => near.send(chunk))
    far.on('close', () => near.close())
    far.on('error', () => near.close())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    at: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    close: async () => {
      for (const client of sockets.clients) client.terminate()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await Promise.all([...pools.values()].map((pool) => pool.end()))
    },
  }
}
