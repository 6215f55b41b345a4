// PostgreSQL over TCP. A read under row level security costs one round trip, a change two: a connection may break before its answer arrived and after the
// change was done, so what is tried again is never committed in the same write.
import pg from 'pg'
import type { Engine } from './client.ts'
import { queryEntered } from './entered-query.ts'
import { isRead, type PostgresOptions, pooled, queryOf, requireWellFormed } from './pool.ts'

export const postgresEngine = (options: PostgresOptions): Engine => {
  const { connected, ...rest } = pooled(options, (config) => new pg.Pool(config))
  return {
    ...rest,
    kind: 'postgres',
    one: async (scope, statement) => {
      requireWellFormed(scope)
      if (!isRead(statement)) return rest.transaction(scope, (run) => run(statement))
      return connected(scope.role, (client, begun) => queryEntered(client, scope, queryOf(statement), begun))
    },
  }
}
