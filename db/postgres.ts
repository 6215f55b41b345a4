// PostgreSQL over TCP. A read under row level security costs one round trip.
import pg from 'pg'
import type { Engine } from './client.ts'
import { queryEntered } from './entered-query.ts'
import { type PostgresOptions, pooled, queryOf, requireWellFormed } from './pool.ts'

export const postgresEngine = (options: PostgresOptions): Engine => {
  const { connected, ...rest } = pooled(options, (config) => new pg.Pool(config))
  return {
    ...rest,
    kind: 'postgres',
    one: async (scope, statement) => {
      requireWellFormed(scope)
      return connected(scope.role, (client, begun) => queryEntered(client, scope, queryOf(statement), begun))
    },
  }
}
