// Runs one statement with a role and a tenant as one implicit transaction: in PostgreSQL's extended protocol everything before a Sync commits together
// (protocol flow, section "Extended Query"). So it takes one write and one response, and nothing is parsed or planned again. A change may have been applied
// although no response arrived, so it is never sent this way twice.
import pg from 'pg'
import type { DatabaseScope } from './client.ts'
import { statementName } from './pool.ts'

/** Prepared once per connection. A separate statement before the read, so that row level security never depends on the order of evaluation. */
const TEXT = `select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`
const ENTER = { name: statementName(TEXT), text: TEXT }

type Connection = {
  bind(message: { readonly portal: string; readonly statement: string; readonly values: readonly string[] }): void
  execute(message: { readonly portal: string }): void
  flush(): void
}
/** Members of the driver's class that its types do not declare. */
type Derivable = new (
  config: pg.QueryConfig,
) => {
  callback: (error: Error | null, result: pg.QueryArrayResult) => void
  requiresPreparation(): boolean
  prepare(connection: Connection): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Connection): void
  submit(connection: pg.Connection): void
}
const Query = pg.Query as unknown as Derivable

class EnteredQuery extends Query {
  readonly #scope: DatabaseScope
  readonly #onEntered: (() => void) | undefined
  #hasEntered = false

  constructor(config: pg.QueryConfig, scope: DatabaseScope, onEntered: (() => void) | undefined) {
    super(config)
    this.#scope = scope
    this.#onEntered = onEntered
  }

  /** Always true: a statement without name and values would be sent as plain text, without the preceding statement and so as the login role. */
  override requiresPreparation(): boolean {
    return true
  }

  override prepare(connection: Connection): void {
    connection.bind({ portal: '', statement: ENTER.name, values: [this.#scope.role, this.#scope.tenantId] })
    connection.execute({ portal: '' })
    // Reports at once that the server has begun: a failure before that is retried on another connection, a failure after it is not. Only on request, because it
    // takes one more message.
    if (this.#onEntered !== undefined) connection.flush()
    super.prepare(connection)
  }

  override handleDataRow(message: unknown): void {
    if (this.#hasEntered) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#hasEntered) super.handleCommandComplete(message, connection)
    else {
      this.#hasEntered = true
      this.#onEntered?.()
    }
  }
}

type Client = Pick<pg.PoolClient, 'query'>
const prepared = new WeakSet<Client>()

/** Resolves when the server is ready again, and so has committed. `onEntered` is called when the server has begun. */
export const queryInScope = (client: Client, scope: DatabaseScope, config: pg.QueryConfig, onEntered?: () => void): Promise<unknown[]> => {
  if (!prepared.has(client)) {
    prepared.add(client)
    // Sent before the statement that needs it, without waiting: if it fails, so does that statement.
    client.query({ ...ENTER, values: ['none', ''] }).catch(() => prepared.delete(client))
  }
  return new Promise((resolve, reject) => {
    const query = new EnteredQuery(config, scope, onEntered)
    query.callback = (error, result) => (error === null ? resolve(result.rows) : reject(error))
    client.query(query)
  })
}
