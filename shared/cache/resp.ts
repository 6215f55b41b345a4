// The Redis protocol over TCP or TLS, as far as the cache speaks it: commands go out as they come, in one write what belongs together, and replies come back in order.
// A library would be larger than most functions, and each of them loads it with its first request.
// @see https://redis.io/docs/latest/develop/reference/protocol-spec/ (RESP2)
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** The server's word that a command was wrong, or that it cannot be done now; the message begins with its code. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError'
}
/** The connection ended before the server answered. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

export type Command = readonly (string | number)[]
export type Reply = string | number | null | ReplyError | readonly Reply[]

const encoded = (command: Command): string =>
  `*${command.length}\r\n${command
    .map(String)
    .map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
    .join('')}`

/** The reply that begins there and where it ends; undefined while some of it is under way. */
export const parseReply = (bytes: Buffer, at: number): readonly [reply: Reply, end: number] | undefined => {
  const end = bytes.indexOf('\r\n', at)
  if (end < 0) return undefined
  const [kind, text, next] = [bytes.toString('latin1', at, at + 1), bytes.toString('utf8', at + 1, end), end + 2]
  if (kind === '+') return [text, next]
  if (kind === '-') return [new ReplyError(text), next]
  const size = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (kind === ':' && !Number.isNaN(size)) return [size, next]
  if ((kind !== '$' && kind !== '*') || Number.isNaN(size)) throw new Error('What answers does not speak the Redis protocol.')
  if (size < 0) return [null, next]
  if (kind === '$') return bytes.length < next + size + 2 ? undefined : [bytes.toString('utf8', next, next + size), next + size + 2]
  const replies: Reply[] = []
  let where = next
  while (replies.length < size) {
    const member = parseReply(bytes, where)
    if (member === undefined) return undefined
    replies.push(member[0])
    where = member[1]
  }
  return [replies, where]
}

type Address = { readonly host: string; readonly port: number; readonly secure: boolean; readonly greeting: readonly Command[] }
/** `redis[s]://[[user]:password@]host[:port][/database]` */
export const addressOf = (text: string): Address => {
  const { protocol, hostname, port, username, password, pathname } = new URL(text)
  const [user, word, database] = [decodeURIComponent(username), decodeURIComponent(password), pathname.slice(1)]
  const greeting = [
    ...(word === '' ? [] : [['AUTH', ...(user === '' ? [] : [user]), word]]),
    ...(database === '' || database === '0' ? [] : [['SELECT', database]]),
  ]
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 6379, secure: protocol === 'rediss:', greeting }
}

export type Connection = {
  /** Replies in order. @throws ConnectionLost */
  send(commands: readonly Command[]): Promise<readonly Reply[]>
  destroy(): void
}
type Told = { readonly opened: () => void; readonly closed: (wasOpen: boolean) => void }
type Waiting = { readonly count: number; readonly replies: Reply[]; resolve(replies: readonly Reply[]): void; reject(error: Error): void }

const socketTo = ({ host, port, secure }: Address): Socket =>
  secure ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) }) : connectTcp({ host, port })

/** Begins to connect; what is sent meanwhile goes out when there is a connection. */
export const openConnection = (address: Address, connectMs: number, told: Told): Connection => {
  const socket = socketTo(address)
  const waiting: Waiting[] = []
  let received: Buffer = Buffer.alloc(0)
  const held: string[] = []
  let isGreeted = address.greeting.length === 0
  let isOpen = false
  let isOver = false

  const end = (error?: Error): void => {
    if (isOver) return
    isOver = true
    clearTimeout(late)
    socket.destroy()
    for (const one of waiting.splice(0)) one.reject(new ConnectionLost('The connection to the cache ended.', { cause: error }))
    told.closed(isOpen)
  }
  const late = setTimeout(end, connectMs)
  const take = (reply: Reply): void => {
    const [first] = waiting
    // Said to nobody: it is about the connection.
    if (first === undefined) end()
    first?.replies.push(reply)
    if (first !== undefined && first.replies.length === first.count) waiting.shift()?.resolve(first.replies)
  }
  const read = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    let at = 0
    try {
      for (let parsed = parseReply(received, at); parsed !== undefined; parsed = at < received.length ? parseReply(received, at) : undefined) {
        at = parsed[1]
        take(parsed[0])
      }
      received = received.subarray(at)
    } catch (error) {
      end(error as Error)
    }
  }
  const send: Connection['send'] = (commands) =>
    isOver
      ? Promise.reject(new ConnectionLost('The connection to the cache has ended.'))
      : new Promise((resolve, reject) => {
          const text = commands.map(encoded).join('')
          if (isGreeted || commands === address.greeting) socket.write(text)
          else held.push(text)
          waiting.push({ count: commands.length, replies: [], resolve, reject })
        })

  socket.setNoDelay(true)
  socket.on('data', read)
  socket.on('error', end)
  socket.on('close', () => end())
  // Whoever is not let in has said nothing else: the server would do it as somebody else, or in another database.
  if (!isGreeted)
    send(address.greeting).then(
      (replies) => {
        const refused = replies.find((reply) => reply instanceof ReplyError)
        if (refused instanceof ReplyError) return end(refused)
        isGreeted = true
        if (held.length > 0) socket.write(held.join(''))
      },
      () => undefined,
    )
  socket.once(address.secure ? 'secureConnect' : 'connect', () => {
    isOpen = true
    clearTimeout(late)
    told.opened()
  })
  return { send, destroy: () => end() }
}
