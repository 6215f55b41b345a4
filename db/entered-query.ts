// One statement under a role and a tenant, after locks that it needs, as one transaction that nobody has to begin or to commit: in PostgreSQL's extended
// protocol whatever stands before a Sync commits together (protocol flow, section "Extended Query"). So it is one write, one answer, and nothing is parsed,
// planned or described anew.
import pg from 'pg'
import type { Scope } from './client.ts'

export type Named = { readonly name: string; readonly text: string; readonly values: readonly string[] }

/** Prepared once on every connection. As a statement before the one that reads, so that row level security never leans on an order of evaluation. */
const ENTER: Named = { name: 'enter', text: `select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`, values: [] }

type Connection = {
  readonly submittedNamedStatements: Record<string, string>
  parse(message: { readonly text: string; readonly name: string }): void
  bind(message: { readonly portal: string; readonly statement: string; readonly values: readonly string[] }): void
  execute(message: { readonly portal: string }): void
  flush(): void
  sync(): void
}
/** How rows are read, which the driver works out from what the server says of the columns. */
type Reading = { fields: readonly unknown[]; _parsers: unknown; _prebuiltEmptyResultObject: unknown }
/** What the driver's class offers to one that derives from it, beside what its types tell. */
type Derivable = new (
  config: pg.QueryConfig,
) => {
  readonly name: string | undefined
  readonly _result: Reading
  _accumulateRows: boolean
  callback: (error: Error | null, result: pg.QueryArrayResult) => void
  requiresPreparation(): boolean
  hasBeenParsed(connection: Connection): boolean
  prepare(connection: Connection): void
  handleRowDescription(message: unknown): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Connection): void
  submit(connection: pg.Connection): void
}
const Query = pg.Query as unknown as Derivable

/** Only makes the statement known to the server. */
class Preparation extends Query {
  readonly #statement: Named
  constructor(statement: Named, done: (error: Error | null) => void) {
    super({ name: statement.name, text: statement.text })
    this.#statement = statement
    this.callback = done
  }
  override prepare(connection: Connection): void {
    if (!this.hasBeenParsed(connection)) {
      connection.parse(this.#statement)
      connection.submittedNamedStatements[this.#statement.name] = this.#statement.text
    }
    connection.sync()
  }
}

class EnteredQuery extends Query {
  readonly #scope: Scope
  readonly #first: readonly Named[]
  readonly #readings: Map<string, Reading>
  readonly #onEntered: () => void
  /** How many statements are still to be answered before the one whose rows are wanted. */
  #before: number

  constructor(config: pg.QueryConfig, scope: Scope, first: readonly Named[], readings: Map<string, Reading>, onEntered: () => void) {
    super(config)
    this.#scope = scope
    this.#first = first
    this.#readings = readings
    this.#onEntered = onEntered
    this.#before = 1 + first.length
  }

  /** Always: a statement without a name and without values would go out as plain text, without anything before it, as whoever logged in. */
  override requiresPreparation(): boolean {
    return true
  }

  override prepare(connection: Connection): void {
    connection.bind({ portal: '', statement: ENTER.name, values: [this.#scope.role, this.#scope.tenantId] })
    connection.execute({ portal: '' })
    // Tells at once that the server has begun: what breaks before that may be tried again, what breaks after it may have happened.
    connection.flush()
    for (const { name, values } of this.#first) {
      connection.bind({ portal: '', statement: name, values })
      connection.execute({ portal: '' })
    }
    super.prepare(this.#reads() ? undescribing(connection) : connection)
  }

  /** Whether it is known how rows of this statement are read: its columns cannot change as long as it stays prepared. */
  #reads(): boolean {
    const known = this.name === undefined ? undefined : this.#readings.get(this.name)
    if (known === undefined) return false
    Object.assign(this._result, known)
    this._accumulateRows = true
    return true
  }

  override handleRowDescription(message: unknown): void {
    super.handleRowDescription(message)
    const { fields, _parsers, _prebuiltEmptyResultObject } = this._result
    if (this.name !== undefined) this.#readings.set(this.name, { fields, _parsers, _prebuiltEmptyResultObject })
  }

  override handleDataRow(message: unknown): void {
    if (this.#before === 0) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#before === 0) super.handleCommandComplete(message, connection)
    else if (this.#before-- === 1 + this.#first.length) this.#onEntered()
  }
}

/** The connection, without asking what the columns of a statement are. */
const undescribing = (connection: Connection): Connection => Object.create(connection, { describe: { value: () => undefined } }) as Connection

type Client = Pick<pg.PoolClient, 'query'>
type Known = { readonly prepared: Set<string>; readonly readings: Map<string, Reading> }
const knownOf = new WeakMap<Client, Known>()
const known = (client: Client): Known => {
  const made = knownOf.get(client) ?? { prepared: new Set<string>(), readings: new Map<string, Reading>() }
  knownOf.set(client, made)
  return made
}

/** Written before what needs it, and waited for by nobody: where it fails, so does the other. */
const prepareOnce = (client: Client, statement: Named): void => {
  const { prepared } = known(client)
  if (prepared.has(statement.name)) return
  prepared.add(statement.name)
  client.query(new Preparation(statement, (error) => void (error !== null && prepared.delete(statement.name))))
}

/** The driver resolves it when the server is ready again, and so has committed. `onEntered`: the server has begun. */
export const queryEntered = (
  client: Client,
  scope: Scope,
  first: readonly Named[],
  config: pg.QueryConfig,
  onEntered: () => void,
): Promise<unknown[]> => {
  for (const statement of [ENTER, ...first]) prepareOnce(client, statement)
  return new Promise((resolve, reject) => {
    const query = new EnteredQuery(config, scope, first, known(client).readings, onEntered)
    query.callback = (error, result) => (error === null ? resolve(result.rows) : reject(error))
    client.query(query)
  })
}
