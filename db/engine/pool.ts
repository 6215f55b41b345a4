// PostgreSQL through a pool of connections of any driver. Role and tenant are set in the same network write as the first statement.
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

/** The driver returns the server's text; drizzle's columns parse their own values. Only these types need a parser here. */
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

/** Sets tenant and role. Both are validated here and never come from a caller, so they may be part of the text. */
export const enterScopeSql = (scope: DatabaseScope): string => {
  requireWellFormed(scope)
  return `select set_config('role','${scope.role}',true), set_config('app.tenant_id','${scope.tenantId}',true)`
}
/** One text together with the start of the transaction, so that the write is one message. */
const enter = (scope: DatabaseScope): string => `begin; ${enterScopeSql(scope)}`

/** 25006: after a failover the server is read-only. The connection is useless; a new one reaches the primary. */
const LOST_CODE = /^(08(?!P01)|57P0|53300|25006|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/
const LOST_TEXT =
  /Connection terminated|connection timeout|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|Client was closed/i
export const isConnectionLost = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  if (LOST_CODE.test(String((error as { code?: unknown }).code ?? ''))) return true
  return LOST_TEXT.test(error.message) || (error instanceof AggregateError && error.errors.some(isConnectionLost))
}
const translateError = (error: unknown): unknown =>
  isConnectionLost(error) && !(error instanceof DatabaseUnavailable) ? new DatabaseUnavailable(error) : error

/** Statements are prepared by name up to this number; our own texts are few. */
export const MAX_PREPARED_STATEMENTS = 500
/** Lists and rows vary in length with the caller and would use up all statement names; from four elements on they get none. */
const VARIES = /\bin \(\$\d+(?:, \$\d+){3}|(?:\), \((?:\$\d|default)[^()]*){3}/i
/**
 * The name is derived from the text, so that it means the same text on every connection, also on one that a pooler passes between processes or
 * releases, where a numbered name could run another process's statement.
 */
export const statementName = (text: string): string => `s${createHash('sha256').update(text).digest('hex').slice(0, 32)}`

type Known = { readonly name: string | undefined; readonly isRead: boolean }
/** A false match only makes a read slower; a missed one might apply a change twice. */
const CHANGE = /\b(insert|update|delete|merge|into|call|do|copy)\b/i
const isReadText = (text: string): boolean => /^\s*(select|with)\b/i.test(text) && !CHANGE.test(text)

/** Caches the name and kind of at most `most` statement texts. */
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

/** Whether running the statement twice has the same effect as once. */
export const isRead = ({ text }: Statement): boolean => knownOf(text).isRead

/**
 * The driver serialises values after it has sent the statement's name. If one fails, it closes the statement on the server but still considers it
 * prepared, which makes it unusable on that connection. So such values are refused first.
 */
const isPlain = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  value instanceof Uint8Array ||
  value instanceof Date ||
  (Array.isArray(value) && value.every(isPlain))

/** The protocol counts parameters in 16 bits, and the driver truncates larger counts, so that the server would misread the values. */
const MOST_PARAMETERS = 65_535

export const toQueryConfig = ({ text, params, arrays }: Statement): pg.QueryConfig & { rowMode?: 'array' } => {
  if (params.length > MOST_PARAMETERS) throw new Error(`A statement has ${params.length} parameters, more than the protocol can count.`)
  if (!params.every(isPlain)) throw new Error('A parameter is neither a plain value, bytes, a date nor an array of those.')
  const { name } = knownOf(text)
  return { text, values: params as unknown[], types, ...(name === undefined ? {} : { name }), ...(arrays ? { rowMode: 'array' } : {}) }
}

/** How long a connection counts as alive after its last response. */
const ALIVE_MS = 1000
type Moment = { readonly elapsed: number; readonly wall: number }
/** By both clocks: the monotonic one may stop while a function is frozen, and the wall clock may be set back. */
const moment = (): Moment => ({ elapsed: performance.now(), wall: Date.now() })
const lastResponse = new WeakMap<object, Moment>()
export const wasRecentlyAlive = (client: object): boolean => {
  const [then, now] = [lastResponse.get(client), moment()]
  return then !== undefined && Math.max(now.elapsed - then.elapsed, Math.abs(now.wall - then.wall)) < ALIVE_MS
}

/** The part of a driver's pool and connections that is used. */
type Client = Pick<pg.PoolClient, 'query' | 'release'>
type Broken = (event: 'error', listener: (error: Error) => void) => unknown
type Pool = {
  connect(): Promise<Client>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'connect', listener: (client: { on: Broken }) => void): unknown
}

export type PostgresOptions = {
  /** Connection URLs of the roles. A privileged URL may serve all three: every transaction switches to its role. */
  readonly url: string
  readonly jobsUrl?: string
  readonly ownerUrl?: string
  readonly maxConnections?: number
  /** Time limit of one statement; 15 seconds by default. */
  readonly statementTimeoutMs?: number
  /** Called for connections that broke while idle. */
  readonly onIdleError?: (error: Error) => void
}

const STATEMENT_TIMEOUT_MS = 15_000
/** A migration may wait for another instance's, and then for an index on a large table: the longest lifetime of a function. */
const SCRIPT_TIMEOUT_MS = 15 * 60_000
const CONNECT_TIMEOUT_MS = 5_000

/** The part that all drivers share. Each has its own way to run a single statement. */
export type PooledEngine = Pick<Engine, 'transaction' | 'script' | 'close'> & {
  /** As `transaction`, on a given connection. */
  transact<T>(client: Client, begun: () => void, scope: DatabaseScope, work: (run: RunStatement) => Promise<T>): Promise<T>
  /** Runs `use` with a connection of that role, and again if it broke before `begun` was called. */
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
    // The pool only listens while a connection is idle. One that breaks in use fails its queries, and without a listener would end the process.
    made.on('connect', (client) => {
      client.on('error', () => undefined)
      lastResponse.set(client, moment())
    })
    pools.set(url, made)
    return made
  }

  /**
   * Dead pooled connections are noticed at their first use, before any statement has run; then the next one is tried, until a new one has been. When
   * none can be opened, there is one retry.
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
          lastResponse.set(client, moment())
          return result
        } catch (error) {
          if (isConnectionLost(error) || isDatabaseUnavailable(error)) failure = error as Error
          throw error
        } finally {
          client.release(failure)
        }
      } catch (error) {
        if (isConnectionLost(error) && !begun && attempt < tries) continue
        throw translateError(error)
      }
    }
  }

  const transact: PooledEngine['transact'] = async (client, begun, scope, work) => {
    // Sent with the first statement. If a role or tenant is refused, the transaction has failed and nothing that follows takes effect.
    const entered = client.query(enter(scope)).then(begun)
    // The connection will serve other transactions. A handle that outlived its transaction would act in theirs, or as the login role.
    let isOver = false
    const run: RunStatement = async (statement) => {
      if (isOver) throw new Error('The transaction has ended; its handle cannot be used any more.')
      try {
        const [answers] = await Promise.all([Promise.all(statementParts(statement).map((part) => client.query(toQueryConfig(part)))), entered])
        return answers.at(-1)?.rows ?? []
      } catch (error) {
        throw translateError(error)
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
