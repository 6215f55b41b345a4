// One statement under a role and a tenant, as one transaction that nobody has to begin or to commit: in PostgreSQL's extended protocol whatever stands before
// a Sync commits together (protocol flow, section "Extended Query"). So it is one write, one answer, and nothing is parsed or planned anew. What
// commits in the write that does it may have been done although no answer came: a change is sent this way once.
import pg from 'pg'
import type { DatabaseScope } from './client.ts'
import { statementName } from './pool.ts'

/** Prepared once on every connection. As a statement before the one that reads, so that row level security never leans on an order of evaluation. */
const TEXT = `select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`
const ENTER = { name: statementName(TEXT), text: TEXT }

type Connection = {
  bind(message: { readonly portal: string; readonly statement: string; readonly values: readonly string[] }): void
  execute(message: { readonly portal: string }): void
  flush(): void
}
/** What the driver's class offers to one that derives from it, beside what its types tell. */
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

  /** Always: a statement without a name and without values would go out as plain text, without anything before it, as whoever logged in. */
  override requiresPreparation(): boolean {
    return true
  }

  override prepare(connection: Connection): void {
    connection.bind({ portal: '', statement: ENTER.name, values: [this.#scope.role, this.#scope.tenantId] })
    connection.execute({ portal: '' })
    // Tells at once that the server has begun: what breaks before that is tried again elsewhere, what breaks after it may have been too much for the server.
    // Said where somebody wants to know, for it is one answer more.
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

/** The driver resolves it when the server is ready again, and so has committed. `onEntered`: the server has begun; it is asked to say so where that is given. */
export const queryInScope = (client: Client, scope: DatabaseScope, config: pg.QueryConfig, onEntered?: () => void): Promise<unknown[]> => {
  if (!prepared.has(client)) {
    prepared.add(client)
    // Written before what needs it, and waited for by nobody: where it fails, so does the other.
    client.query({ ...ENTER, values: ['none', ''] }).catch(() => prepared.delete(client))
  }
  return new Promise((resolve, reject) => {
    const query = new EnteredQuery(config, scope, onEntered)
    query.callback = (error, result) => (error === null ? resolve(result.rows) : reject(error))
    client.query(query)
  })
}
