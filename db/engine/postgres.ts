// PostgreSQL over TCP. One statement under row level security costs one round trip; what takes locks first, two.
import pg from 'pg'
import type { Engine } from './client.ts'
import { createPooledEngine, isRead, type PostgresOptions, requireWellFormed, toQueryConfig, wasRecentlyAlive } from './pool.ts'
import { queryInScope } from './scoped-query.ts'

export const postgresEngine = (options: PostgresOptions): Engine => {
  const { connected, transact, ...rest } = createPooledEngine(options, (config) => new pg.Pool(config))
  return {
    ...rest,
    kind: 'postgres',
    one: async (scope, statement) => {
      requireWellFormed(scope)
      return connected(scope.role, (client, begun) => {
        if (statement.first !== undefined) return transact(client, begun, scope, (run) => run(statement))
        if (isRead(statement)) return queryInScope(client, scope, toQueryConfig(statement), begun)
        // A change that commits in its own write may have been done although no answer came, and a second try would do it twice. Over a connection that may be
        // dead by now it takes the longer way, where nothing is done before the commit; over one that was just heard of it is tried once.
        if (!wasRecentlyAlive(client)) return transact(client, begun, scope, (run) => run(statement))
        begun()
        return queryInScope(client, scope, toQueryConfig(statement))
      })
    },
  }
}
