// Hand-written statements for the most frequent reads and writes. Parameters and columns are named; the text is numbered once, so that the driver can prepare it
// and a call only fills in values.
import type { Statement } from './client.ts'
import type { AnyScope, TenantDb } from './tenant.ts'

/** One column of a select list: an SQL expression, and how its value is read. */
export type Column<T> = { readonly kind: 'column'; readonly sql: string; readonly read: (value: unknown) => T }
type Expression = { readonly name: string; readonly sql: string }
/** Columns that are read into one object. */
export type Columns<T> = {
  readonly kind: 'columns'
  /** The select list. An expression is named after its member, `"outer.inner"` where nested. */
  readonly list: string
  /** The same columns, selected from the subquery or CTE of that name. */
  readonly from: (alias: string) => string
  /** The same columns as a member of others, out of that subquery or CTE. */
  readonly within: (alias: string) => Columns<T>
  readonly expressions: readonly Expression[]
  /** Reads the object from a row in which its columns begin at index `at`. */
  readonly read: (row: readonly unknown[], at?: number) => T
}
type Shape = Readonly<Record<string, Column<unknown> | Columns<unknown>>>
type ObjectOf<S> = { readonly [K in keyof S]: S[K] extends Column<infer T> | Columns<infer T> ? T : never }
/** The object that a set of columns is read into. */
export type RowOf<C> = C extends Columns<infer T> ? T : never

/** A value as the driver decodes it: text, number, boolean, bytes, array or JSON. */
export const column = <T>(sql: string): Column<T> => ({ kind: 'column', sql, read: (value) => value as T })
/** `timestamptz` */
export const moment = (sql: string): Column<Date> => ({ kind: 'column', sql, read: (value) => new Date(value as string) })

const nullAs = <T, E>(part: Column<T> | Columns<T>, empty: E): Column<T | E> | Columns<T | E> =>
  part.kind === 'column'
    ? { ...part, read: (value: unknown) => (value === null ? empty : part.read(value)) }
    : { ...part, read: (row: readonly unknown[], at = 0) => (row[at] === null ? empty : part.read(row, at)) }

type Optional = { <T>(part: Column<T>): Column<T | undefined>; <T>(part: Columns<T>): Columns<T | undefined> }
/** Undefined for SQL's null. A set of columns is undefined where its first column is null. */
export const optional = ((part: Column<unknown> | Columns<unknown>) => nullAs(part, undefined)) as Optional
/** Null for SQL's null. */
export const nullable = <T>(part: Column<T>): Column<T | null> => nullAs(part, null) as Column<T | null>

const listed = <T>(expressions: readonly Expression[], read: Columns<T>['read']): Columns<T> => {
  const through = (alias: string) => expressions.map(({ name }) => ({ name, sql: `${alias}."${name}"` }))
  return {
    kind: 'columns',
    list: expressions.map(({ name, sql }) => `${sql} as "${name}"`).join(', '),
    from: (alias) =>
      through(alias)
        .map(({ sql }) => sql)
        .join(', '),
    within: (alias) => listed(through(alias), read),
    expressions,
    read,
  }
}

/** A select list whose values are read into an object with these members. */
export const columns = <S extends Shape>(shape: S): Columns<ObjectOf<S>> => {
  const expressions: Expression[] = []
  // Members are read in their order, each from the index at which its columns begin.
  const readers = Object.entries(shape).map(([name, part]) => {
    const at = expressions.length
    const inner = part.kind === 'column' ? [{ name, sql: part.sql }] : part.expressions.map((e) => ({ name: `${name}.${e.name}`, sql: e.sql }))
    expressions.push(...inner)
    return { name, at, part }
  })
  return listed(expressions, (row, from = 0) => {
    const object: Record<string, unknown> = {}
    for (const { name, at, part } of readers) object[name] = part.kind === 'column' ? part.read(row[from + at]) : part.read(row, from + at)
    return object as ObjectOf<S>
  })
}

type Values = Readonly<Record<string, unknown>>
type Scope = AnyScope & Partial<Pick<TenantDb, 'tenantId'>>
type Send = (statement: Statement) => Promise<unknown[]>
export type Prepared<P extends object> = {
  /**
   * The statement with its values: a `Date` as `timestamptz`, undefined as null. `:tenantId` is the tenant of the handle.
   * @throws Error when a parameter of the text is missing
   */
  readonly bind: (t: Scope, parameters: P) => Statement
  /** Runs it and returns the number of rows. */
  readonly count: (t: Scope, parameters: P, send?: Send) => Promise<number>
  readonly returning: <T>(columns: Columns<T>) => Query<P, T>
}
export type Query<P extends object, T> = Pick<Prepared<P>, 'bind'> & {
  readonly all: (t: Scope, parameters: P, send?: Send) => Promise<T[]>
  readonly first: (t: Scope, parameters: P, send?: Send) => Promise<T | undefined>
}

/** Literals, quoted names, casts and array slices are not changed. */
const PARAMETER = /'[^']*'|"[^"]*"|::|(?<![\w\]]):([a-zA-Z]\w*)/g

const numbered = (text: string): { readonly text: string; readonly names: readonly string[] } => {
  const names: string[] = []
  const place = (found: string, name: string | undefined): string => {
    if (name === undefined) return found
    if (!names.includes(name)) names.push(name)
    return `$${names.indexOf(name) + 1}`
  }
  return { text: text.replace(PARAMETER, place), names }
}

const sent = (value: unknown): unknown => (value instanceof Date ? value.toISOString() : (value ?? null))

/** A statement whose parameters are written `:name`. */
export const statement = <P extends object>(text: string): Prepared<P> => {
  let made: ReturnType<typeof numbered> | undefined
  const bind: Prepared<P>['bind'] = (t, parameters) => {
    made ??= numbered(text)
    const params = made.names.map((name) => {
      const values: Values = name === 'tenantId' ? t : (parameters as Values)
      if (!(name in values)) throw new Error(`The statement needs a value for :${name}.`)
      return sent(values[name])
    })
    return { text: made.text, params, arrays: true }
  }
  const rows = (t: Scope, parameters: P, send: Send = t.run) => send(bind(t, parameters)) as Promise<(readonly unknown[])[]>
  return {
    bind,
    count: async (t, parameters, send) => (await rows(t, parameters, send)).length,
    returning: (columns) => ({
      bind,
      all: async (t, parameters, send) => (await rows(t, parameters, send)).map((row) => columns.read(row)),
      first: async (t, parameters, send) => {
        const [row] = await rows(t, parameters, send)
        return row && columns.read(row)
      },
    }),
  }
}
