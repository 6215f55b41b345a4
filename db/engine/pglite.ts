// PostgreSQL inside the process: the default of local mode and of tests. It has one connection, so transactions run one after another.
import { messages as answers, PGlite, protocol } from '@electric-sql/pglite'
import { type DatabaseScope, type Engine, type RunStatement, type Statement, statementParts } from './client.ts'
import { requireWellFormed, toQueryConfig, types } from './pool.ts'

const { serialize } = protocol

const ENTER = `select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`
const entering = ({ role, tenantId }: DatabaseScope): Statement => ({ text: ENTER, params: [role, tenantId], arrays: true })

const hex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
const element = (value: unknown): string => {
  if (value === null || value === undefined) return 'NULL'
  if (Array.isArray(value)) return arrayText(value)
  return `"${String(value instanceof Uint8Array ? hex(value) : onWire(value)).replace(/[\\"]/g, '\\$&')}"`
}
const arrayText = (values: readonly unknown[]): string => `{${values.map(element).join()}}`

/** A parameter in wire format: text in the form that the server expects, and bytes unchanged. */
const onWire = (value: unknown): string | Uint8Array | null => {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return value
  if (value instanceof Date) return value.toISOString()
  return Array.isArray(value) ? arrayText(value) : String(value)
}

type Field = { readonly name: string; readonly dataTypeID: number }
/** The members of the server's messages that are used. */
type Message = { readonly name: string; readonly fields?: readonly unknown[]; readonly text?: string }
type Answer = { readonly rows: unknown[]; readonly command: string }

/**
 * Sends messages in one write and returns the rows of the last statement.
 * @throws the server's first error, with its SQLSTATE
 */
const exchange = async (db: PGlite, messages: readonly Uint8Array[], arrays: boolean): Promise<Answer> => {
  const parser = new protocol.Parser()
  let fields: readonly Field[] = []
  let readers: readonly ((text: string) => unknown)[] = []
  let rows: unknown[] = []
  let command = ''
  let failure: Error | undefined
  const handle = (message: Message): void => {
    if (message instanceof answers.DatabaseError) failure ??= message
    switch (message.name) {
      case 'bindComplete':
        rows = []
        break
      case 'rowDescription':
        fields = message.fields as readonly Field[]
        readers = fields.map(({ dataTypeID }) => types.getTypeParser(dataTypeID, 'text') as (text: string) => unknown)
        break
      case 'dataRow': {
        const values = (message.fields as readonly (string | null)[]).map((text, at) => (text === null ? null : readers[at]?.(text)))
        rows.push(arrays ? values : Object.fromEntries(values.map((value, at) => [fields[at]?.name ?? '', value])))
        break
      }
      case 'commandComplete':
        command = message.text ?? ''
    }
  }
  await db.execProtocolRawStream(Buffer.concat(messages), { syncToFs: false, onRawData: (bytes) => parser.parse(bytes, handle) })
  if (failure !== undefined) throw failure
  return { rows, command }
}

/** Wraps an opened PGlite, which the engine then owns. When it is open on a folder, the caller must hold the folder's lock: see `lockFolder`. */
export const pgliteEngine = (db: PGlite): Engine => {
  let last: Promise<unknown> = Promise.resolve()
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }

  /** Names of statements that the server has prepared. */
  const prepared = new Set<string>()
  type Written = { readonly messages: readonly Uint8Array[]; readonly added: readonly string[]; readonly arrays: boolean }
  const written = (statements: readonly Statement[]): Written => {
    const added = new Set<string>()
    const parsing = (text: string, name: string): Uint8Array[] => {
      if (name === '') return [serialize.parse({ text })]
      if (prepared.has(name) || added.has(name)) return []
      added.add(name)
      // It may already exist: prepared in an earlier write in which something later failed.
      return [serialize.close({ type: 'S', name }), serialize.parse({ name, text })]
    }
    const messages = statements.flatMap((statement) => {
      const { text, values = [], name = '' } = toQueryConfig(statement)
      return [
        ...parsing(text, name),
        serialize.bind({ statement: name, values: values.map(onWire) }),
        serialize.describe({ type: 'P' }),
        serialize.execute({}),
      ]
    })
    return { messages: [...messages, serialize.sync()], added: [...added], arrays: statements.at(-1)?.arrays === true }
  }
  const send = async ({ messages, added, arrays }: Written, before: readonly Uint8Array[] = []): Promise<unknown[]> => {
    const { rows } = await exchange(db, [...before, ...messages], arrays)
    for (const name of added) prepared.add(name)
    return rows
  }
  const simpleQuery = (text: string): Promise<Answer> => exchange(db, [serialize.query(text)], true)

  const transact = async <T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>): Promise<T> => {
    let isBegun = false
    let isOver = false
    const run: RunStatement = async (statement) => {
      if (isOver) throw new Error('The transaction has ended; its handle cannot be used any more.')
      const first = isBegun ? undefined : serialize.query('begin')
      const message = written([...(isBegun ? [] : [entering(scope)]), ...statementParts(statement)])
      // Set before the write, so that nothing can be sent outside the transaction from here on.
      isBegun = true
      return send(message, first === undefined ? [] : [first])
    }
    try {
      const result = await work(run)
      isOver = true
      if (isBegun && (await simpleQuery('commit')).command !== 'COMMIT')
        throw new Error('The transaction was rolled back: a failed statement inside it was swallowed.')
      return result
    } catch (error) {
      if (!isOver && isBegun) await simpleQuery('rollback')
      isOver = true
      throw error
    }
  }

  return {
    kind: 'pglite',
    one: async (scope, statement) => {
      requireWellFormed(scope)
      // Everything before a Sync commits together, as in scoped-query.ts.
      return exclusively(async () => send(written([entering(scope), ...statementParts(statement)])))
    },
    transaction: async (scope, work) => {
      requireWellFormed(scope)
      return exclusively(() => transact(scope, work))
    },
    script: (role, text) =>
      exclusively(() =>
        db.transaction(async (tx) => {
          if (role !== 'login') await tx.exec(`set local role ${role}`)
          await tx.exec(text)
        }),
      ) as Promise<void>,
    close: () => exclusively(() => db.close()),
  }
}

/** Opens the embedded engine in memory or on a folder. */
export const openPglite = async (folder?: string): Promise<PGlite> => {
  const db = folder === undefined ? new PGlite() : new PGlite(folder)
  await db.waitReady
  return db
}
