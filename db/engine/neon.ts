// PostgreSQL at Neon, for functions. A read is one HTTP request (a batch in one transaction that first sets role and tenant); an interactive
// transaction uses a WebSocket of the driver's pool.
import { NeonDbError, neon, neonConfig, Pool } from '@neondatabase/serverless'
import { type DatabaseRole, DatabaseUnavailable, type Engine, statementParts } from './client.ts'
import { createPooledEngine, enterScopeSql, isConnectionLost, type PostgresOptions, types } from './pool.ts'

export type NeonOptions = PostgresOptions & {
  /** A WebSocket class for runtimes without one (Node before 22). */
  readonly webSocket?: unknown
  /** Whether a connection ends with the transaction that opened it: in workerd none may outlive its request. */
  readonly isOpenedEachTime?: boolean
  /** `host:port` of a plain-text bridge that replaces Neon, for tests. */
  readonly bridge?: string
}

const TIMEOUT_MS = 15_000

/** The driver wraps errors of `fetch`; a response from the server has an SQLSTATE. */
const translateError = (error: unknown): unknown => {
  if (error instanceof DatabaseUnavailable) return error
  const unreachable = error instanceof NeonDbError && error.code === undefined
  // A broken WebSocket ends its queries with an event, which is not an Error.
  return unreachable || isConnectionLost(error) || !(error instanceof Error) ? new DatabaseUnavailable(error) : error
}

const withTranslatedErrors = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw translateError(error)
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
      const answers = await withTranslatedErrors(http.transaction([http.query(enter), ...requested], options))
      return answers.at(-1) as unknown[]
    },
    transaction: (scope, work) => withTranslatedErrors(base.transaction(scope, work)),
    script: (role, text) => withTranslatedErrors(base.script(role, text)),
  }
}
