// PostgreSQL at Neon, for functions: a read is one HTTP request (a batch of statements in one transaction: who and for whom, then what), a transaction that
// has to look in between is a WebSocket from the driver's pool.
import { NeonDbError, neon, neonConfig, Pool } from '@neondatabase/serverless'
import { type DatabaseRole, DatabaseUnavailable, type Engine, statementParts } from './client.ts'
import { createPooledEngine, enterScopeSql, isConnectionLost, type PostgresOptions, types } from './pool.ts'

export type NeonOptions = PostgresOptions & {
  /** Where a WebSocket class is not the runtime's own (Node before 22). */
  readonly webSocket?: unknown
  /** Whether a connection ends with the transaction that opened it: in workerd none may outlive its request. */
  readonly isOpenedEachTime?: boolean
  /** A bridge in place of Neon, for tests: `host:port`, in plain text. */
  readonly bridge?: string
}

const TIMEOUT_MS = 15_000

/** The driver wraps what `fetch` threw; a server that answers names an SQLSTATE. */
const translated = (error: unknown): unknown => {
  if (error instanceof DatabaseUnavailable) return error
  const unreachable = error instanceof NeonDbError && error.code === undefined
  // A WebSocket that breaks ends its queries with an event, which is no Error.
  return unreachable || isConnectionLost(error) || !(error instanceof Error) ? new DatabaseUnavailable(error) : error
}

const told = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw translated(error)
  })

const configure = ({ webSocket, bridge }: NeonOptions): void => {
  if (webSocket !== undefined) neonConfig.webSocketConstructor = webSocket as never
  if (bridge === undefined) return
  neonConfig.wsProxy = () => `${bridge}/v1`
  neonConfig.useSecureWebSocket = false
  neonConfig.pipelineConnect = false
  neonConfig.pipelineTLS = false
  neonConfig.fetchEndpoint = () => `http://${bridge}/sql`
}

export const neonEngine = (options: NeonOptions): Engine => {
  configure(options)
  const {
    connected: _,
    transact: __,
    ...base
  } = createPooledEngine(options, (config) => new Pool(options.isOpenedEachTime ? { ...config, maxUses: 1 } : config))
  const urlOf = (role: DatabaseRole): string =>
    role === 'authsec_app' ? options.url : ((role === 'authsec_jobs' ? options.jobsUrl : options.ownerUrl) ?? options.url)
  return {
    ...base,
    kind: 'neon',
    one: async (scope, statement) => {
      const enter = enterScopeSql(scope)
      const http = neon(urlOf(scope.role))
      const requested = statementParts(statement).map(({ text, params }) => http.query(text, [...params], { types: types as never }))
      const options = { arrayMode: statement.arrays, fetchOptions: { signal: AbortSignal.timeout(TIMEOUT_MS) } }
      const answers = await told(http.transaction([http.query(enter), ...requested], options))
      return answers.at(-1) as unknown[]
    },
    transaction: (scope, work) => told(base.transaction(scope, work)),
    script: (role, text) => told(base.script(role, text)),
  }
}
