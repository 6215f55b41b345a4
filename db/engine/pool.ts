// PostgreSQL through a pool of connections, whichever driver made them. Role and tenant travel in the same network write as the first statement.
import { createHash } from 'node:crypto'
import type pg from 'pg'
import TypeOverrides from 'pg/lib/type-overrides'
import {
  type DatabaseRole,
  type DatabaseScope,
  DatabaseUnavailable,
  type Engine,
  isDatabaseUnavailable,
  type RunStatement,
  type Statement,
  statementParts,
} from './client.ts'

/** The driver hands over what the server sent; columns of drizzle know what they hold. Only these are worth parsing here. */
const BOOL = 16
const BYTEA = 17
const INT2 = 21
const INT4 = 23
const OID = 26
const INT8 = 20
const FLOAT8 = 701
const JSON_ = 114
const JSONB = 3802
const TEXT_ARRAY = 1009
const UUID_ARRAY = 2951
const PARSED = new Set([BOOL, BYTEA, INT2, INT4, OID, FLOAT8, JSON_, JSONB, TEXT_ARRAY, UUID_ARRAY])
const parsers = new TypeOverrides()
export const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number
    return PARSED.has(oid) ? parsers.getTypeParser(oid, format as 'text') : (value: string) => value
  },
} as pg.CustomTypesConfig

const TENANT = /^[0-9a-f-]{36}$|^$/
const ROLE = /^authsec_(app|jobs|owner)$/

export const requireWellFormed = (scope: DatabaseScope): void => {
  if (!TENANT.test(scope.tenantId) || !ROLE.test(scope.role)) throw new Error('malformed scope')
}

/** Sets tenant and role. Both are checked here and never come from a caller, so they may stand in the text. */
export const enterScopeSql = (scope: DatabaseScope): string => {
  requireWellFormed(scope)
  return `select set_config('role','${scope.role}',true), set_config('app.tenant_id','${scope.tenantId}',true)`
}
/** As one text with the start of a transaction, which makes the write one message. */
const enter = (scope: DatabaseScope): string => `begin; ${enterScopeSql(scope)}`

/** 25006: after a failover the server at the other end reads alone. The connection is of no use any more; a new one finds the server that writes. */
const AWAY = /^(08(?!P01)|57P0|53300|25006|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/
const AWAY_TEXT =
  /Connection terminated|connection timeout|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|Client was closed/i
export const isConnectionLost = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  if (AWAY.test(String((error as { code?: unknown }).code ?? ''))) return true
  return AWAY_TEXT.test(error.message) || (error instanceof AggregateError && error.errors.some(isConnectionLost))
}
const translated = (error: unknown): unknown =>
  isConnectionLost(error) && !(error instanceof DatabaseUnavailable) ? new DatabaseUnavailable(error) : error

/** Statements are prepared by name while there are not too many of them: texts of ours are few. */
export const MAX_PREPARED_STATEMENTS = 500
/** Lists and rows vary in length as callers like, and would take all the names: from four on they get none. */
const VARIES = /\bin \(\$\d+(?:, \$\d+){3}|(?:\), \((?:\$\d|default)[^()]*){3}/i
/**
 * The name follows from the text, so that it means one text on every connection, also on one that a pooler hands from process to process (or from release to
 * release): there a counted name could run another process's statement.
 */
export const statementName = (text: string): string => `s${createHash('sha256').update(text).digest('hex').slice(0, 32)}`

type Known = { readonly name: string | undefined; readonly isRead: boolean }
/** A word too many makes a read slower; one too few might do a change twice. */
const CHANGE = /\b(insert|update|delete|merge|into|call|do|copy)\b/i
const isReadText = (text: string): boolean => /^\s*(select|with)\b/i.test(text) && !CHANGE.test(text)

/** What is known of texts, of so many at most. */
export const knownStatements = (most: number): ((text: string) => Known) => {
  const known = new Map<string, Known>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const isKept = known.size < most && !VARIES.test(text)
    const made = { name: isKept ? statementName(text) : undefined, isRead: isReadText(text) }
    if (isKept) known.set(text, made)
    return made
  }
}
const knownOf = knownStatements(MAX_PREPARED_STATEMENTS)

/** Whether doing the statement twice does no more than doing it once. */
export const isRead = ({ text }: Statement): boolean => knownOf(text).isRead

/**
 * The driver renders values after it has sent the statement's name. If one cannot be rendered it closes the statement on the server and goes on believing
 * that it is there: nobody could use it again on that connection. So what might fail is refused before.
 */
const isPlain = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  value instanceof Uint8Array ||
  value instanceof Date ||
  (Array.isArray(value) && value.every(isPlain))

/** The protocol counts parameters in 16 bits, and the driver writes what is left of a larger number: the server would read values as something else. */
const MOST_PARAMETERS = 65_535

export const toQueryConfig = ({ text, params, arrays }: Statement): pg.QueryConfig & { rowMode?: 'array' } => {
  if (params.length > MOST_PARAMETERS) throw new Error(`A statement has ${params.length} parameters, more than the protocol can count.`)
  if (!params.every(isPlain)) throw new Error('A parameter is neither a plain value, bytes, a date nor an array of those.')
  const { name } = knownOf(text)
  return { text, values: params as unknown[], types, ...(name === undefined ? {} : { name }), ...(arrays ? { rowMode: 'array' } : {}) }
}

/** How long a connection is believed to be there after it was heard of. */
const BELIEVED_MS = 1000
type Moment = { readonly elapsed: number; readonly wall: number }
/** By both clocks: one may stand still while a function is frozen, the other may be set back. */
const moment = (): Moment => ({ elapsed: performance.now(), wall: Date.now() })
const heard = new WeakMap<object, Moment>()
export const wasRecentlyAlive = (client: object): boolean => {
  const [then, now] = [heard.get(client), moment()]
  return then !== undefined && Math.max(now.elapsed - then.elapsed, Math.abs(now.wall - then.wall)) < BELIEVED_MS
}

/** What is used of a driver's pool and of its connections. */
type Client = Pick<pg.PoolClient, 'query' | 'release'>
type Broken = (event: 'error', told: (error: Error) => void) => unknown
type Pool = {
  connect(): Promise<Client>
  end(): Promise<void>
  on(event: 'error', told: (error: Error) => void): unknown
  on(event: 'connect', told: (client: { on: Broken }) => void): unknown
}

export type PostgresOptions = {
  /** Where each role logs in. A privileged URL may serve all three: every transaction switches to the role it is for. */
  readonly url: string
  readonly jobsUrl?: string
  readonly ownerUrl?: string
  readonly maxConnections?: number
  /** How long one statement may take; 15 seconds unless told. */
  readonly statementTimeoutMs?: number
  /** Told of connections that broke while idle. */
  readonly onIdleError?: (error: Error) => void
}

const STATEMENT_TIMEOUT_MS = 15_000
/** A migration may wait for another instance's, and then for an index over a large table: as long as a function may live. */
const SCRIPT_TIMEOUT_MS = 15 * 60_000
const CONNECT_TIMEOUT_MS = 5_000

/** What every driver does alike. How it runs one statement is its own. */
export type PooledEngine = Pick<Engine, 'transaction' | 'script' | 'close'> & {
  /** As `transaction`, on a connection that is in hand. */
  transact<T>(client: Client, begun: () => void, scope: DatabaseScope, work: (run: RunStatement) => Promise<T>): Promise<T>
  /** Runs `use` with a connection of that role, again where it broke before `begun` was called. */
  connected<T>(role: DatabaseRole | 'login', use: (client: Client, begun: () => void) => Promise<T>): Promise<T>
}

export const createPooledEngine = (options: PostgresOptions, openPool: (config: pg.PoolConfig) => Pool): PooledEngine => {
  const pools = new Map<string, Pool>()
  const maxConnections = options.maxConnections ?? 10
  const poolOf = (role: DatabaseRole | 'login'): Pool => {
    const url = role === 'authsec_app' ? options.url : ((role === 'authsec_jobs' ? options.jobsUrl : options.ownerUrl) ?? options.url)
    const known = pools.get(url)
    if (known) return known
    const made = openPool({
      connectionString: url,
      max: maxConnections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
      idleTimeoutMillis: 30_000,
      allowExitOnIdle: true,
      pipeline: true,
    } as pg.PoolConfig)
    made.on('error', (error) => options.onIdleError?.(error))
    // The pool listens while a connection is idle. One that breaks in use fails its queries, and would end the process if nobody listened.
    made.on('connect', (client) => {
      client.on('error', () => undefined)
      heard.set(client, moment())
    })
    pools.set(url, made)
    return made
  }

  /**
   * Connections that died in the pool are noticed at their first use, before anything of ours was done: then the next is tried, until a fresh one was.
   * Where none can be made, one more try is enough.
   */
  const connected = async <T>(role: DatabaseRole | 'login', use: (client: Client, begun: () => void) => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt++) {
      let begun = false
      let tries = 1
      try {
        const client = await poolOf(role).connect()
        tries = maxConnections
        let failure: Error | undefined
        try {
          const result = await use(client, () => {
            begun = true
          })
          heard.set(client, moment())
          return result
        } catch (error) {
          if (isConnectionLost(error) || isDatabaseUnavailable(error)) failure = error as Error
          throw error
        } finally {
          client.release(failure)
        }
      } catch (error) {
        if (isConnectionLost(error) && !begun && attempt < tries) continue
        throw translated(error)
      }
    }
  }

  const transact: PooledEngine['transact'] = async (client, begun, scope, work) => {
    // Sent with the first statement. Where a role or tenant is refused, the transaction is one that has failed, and nothing that follows is done.
    const entered = client.query(enter(scope)).then(begun)
    // The connection goes on to serve others. A handle that outlives its transaction would speak in theirs, or as whoever logged in.
    let isOver = false
    const run: RunStatement = async (statement) => {
      if (isOver) throw new Error('The transaction is over; its handle cannot be used any more.')
      try {
        const [answers] = await Promise.all([Promise.all(statementParts(statement).map((part) => client.query(toQueryConfig(part)))), entered])
        return answers.at(-1)?.rows ?? []
      } catch (error) {
        throw translated(error)
      }
    }
    try {
      const [result] = await Promise.all([work(run), entered])
      isOver = true
      const { command } = await client.query('commit')
      if (command !== 'COMMIT') throw new Error('The transaction was rolled back: a failed statement inside it was swallowed.')
      return result
    } catch (error) {
      if (!isOver) {
        isOver = true
        await client.query('rollback').catch(() => undefined)
      }
      throw error
    }
  }

  const transaction: Engine['transaction'] = async (scope, work) => {
    requireWellFormed(scope)
    return connected(scope.role, (client, begun) => transact(client, begun, scope, work))
  }

  return {
    connected,
    transact,
    transaction,
    script: (role, text) =>
      connected(role, async (client, begun) => {
        await client.query('begin')
        begun()
        try {
          if (role !== 'login') await client.query(`set local role ${role}`)
          await client.query({ text, query_timeout: SCRIPT_TIMEOUT_MS } as pg.QueryConfig)
          await client.query('commit')
        } catch (error) {
          await client.query('rollback').catch(() => undefined)
          throw error
        }
      }),
    close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.end()))),
  }
}
