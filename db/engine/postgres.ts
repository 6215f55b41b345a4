// PostgreSQL over TCP. One statement under row level security costs one round trip; what takes locks first, two.
import pg from 'pg'
import type { Engine } from './client.ts'
import { queryEntered } from './entered-query.ts'
import { isRead, type PostgresOptions, pooled, queryOf, requireWellFormed, wasJustHeard } from './pool.ts'

export const postgresEngine = (options: PostgresOptions): Engine => {
  const { connected, transact, ...rest } = pooled(options, (config) => new pg.Pool(config))
  return {
    ...rest,
    kind: 'postgres',
    one: async (scope, statement) => {
      requireWellFormed(scope)
      return connected(scope.role, (client, begun) => {
        if (statement.first !== undefined) return transact(client, begun, scope, (run) => run(statement))
        if (isRead(statement)) return queryEntered(client, scope, queryOf(statement), begun)
        // A change that commits in its own write may have been done although no answer came, and a second try would do it twice. Over a connection that may be
        // dead by now it takes the longer way, where nothing is done before the commit; over one that was just heard of it is tried once.
        if (!wasJustHeard(client)) return transact(client, begun, scope, (run) => run(statement))
        begun()
        return queryEntered(client, scope, queryOf(statement))
      })
    },
  }
}
