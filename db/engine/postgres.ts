// PostgreSQL over TCP. A statement under row level security takes one round trip; one with preceding locks takes two.
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
        // A change that commits in its own write may have been applied although no response arrived, and a retry would apply it twice. On a
        // connection that may be dead it runs as a transaction, in which nothing is applied before the commit; on one with a recent response it is
        // sent once.
        if (!wasRecentlyAlive(client)) return transact(client, begun, scope, (run) => run(statement))
        begun()
        return queryInScope(client, scope, toQueryConfig(statement))
      })
    },
  }
}
