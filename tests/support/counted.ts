// Engines for tests that count database work, or simulate an unavailable database.
import { type DatabaseScope, DatabaseUnavailable, type Db, type Engine, openDb, type RunStatement, statementParts } from '#db/engine/client'

export type Costs = {
  /** Without begin, set and commit. */
  readonly statements: number
  /** With them: a single statement is one; one that first takes locks is two; a transaction has one more than statements, because begin is sent with the first. */
  readonly roundTrips: number
}

export type CountedDb = {
  readonly db: Db
  /** The cost of `work`. */
  during(work: () => Promise<unknown>): Promise<Costs>
}

/** The same database with a counter. */
export const countedDb = (engine: Engine): CountedDb => {
  let [statements, roundTrips] = [0, 0]
  const count = (by: { readonly statements: number; readonly roundTrips: number }): void => {
    statements += by.statements
    roundTrips += by.roundTrips
  }
  const counted: Engine = {
    ...engine,
    one: (scope, statement) => {
      count({ statements: statementParts(statement).length, roundTrips: statement.first === undefined ? 1 : 2 })
      return engine.one(scope, statement)
    },
    transaction: <T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>) => {
      count({ statements: 0, roundTrips: 1 })
      return engine.transaction(scope, (run) =>
        work((statement) => {
          count({ statements: statementParts(statement).length, roundTrips: 1 })
          return run(statement)
        }),
      )
    },
  }
  return {
    db: openDb(counted),
    during: async (work) => {
      const before = { statements, roundTrips }
      await work()
      return { statements: statements - before.statements, roundTrips: roundTrips - before.roundTrips }
    },
  }
}

export type Switch = {
  /** From now on the database is unavailable. */
  cut(): void
  mend(): void
}

/** The same database, which can be made unavailable. */
export const severableDb = (engine: Engine): Switch & { readonly db: Db } => {
  let isCut = false
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isCut) throw new DatabaseUnavailable(new Error('cut by the test'))
    return work()
  }
  const severable: Engine = {
    ...engine,
    one: (scope, statement) => through(() => engine.one(scope, statement)),
    transaction: <T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>) => through(() => engine.transaction(scope, work)),
  }
  return {
    db: openDb(severable),
    cut: () => {
      isCut = true
    },
    mend: () => {
      isCut = false
    },
  }
}
