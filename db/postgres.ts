// PostgreSQL over TCP. A read under row level security costs one round trip.
import pg from 'pg'
import type { Engine } from './client.ts'
import { type Named, queryEntered } from './entered-query.ts'
import { nameOf, type PostgresOptions, pooled, queryOf, requireWellFormed } from './pool.ts'

const isNamed = (statement: Omit<Named, 'name'> & { readonly name: string | undefined }): statement is Named => statement.name !== undefined

export const postgresEngine = (options: PostgresOptions): Engine => {
  const { connected, ...rest } = pooled(options, (config) => new pg.Pool(config))
  return {
    ...rest,
    kind: 'postgres',
    one: async (scope, statement) => {
      requireWellFormed(scope)
      const first = (statement.first ?? []).map(({ text, params }) => ({ name: nameOf(text), text, values: params }))
      // Past so many texts they have no names.
      if (!first.every(isNamed)) return rest.transaction(scope, (run) => run(statement))
      return connected(scope.role, (client, begun) => queryEntered(client, scope, first, queryOf(statement), begun))
    },
  }
}
