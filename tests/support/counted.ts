// Engines for tests that ask how much of the database something costs, and what happens without it.
import { type DatabaseScope, DatabaseUnavailable, type Db, type Engine, openDb, type RunStatement, statementParts } from '#db/engine/client'

export type Costs = {
  /** Without begin, set and commit. */
  readonly statements: number
  /** With them: a statement of its own is one, one that takes locks first two, a transaction has one more than statements, since begin is sent with the first. */
  readonly roundTrips: number
}

export type CountedDb = {
  readonly db: Db
  /** What `work` cost. */
  during(work: () => Promise<unknown>): Promise<Costs>
}

/** A database of the same engine, counting. */
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
  /** From now on nobody is there. */
  cut(): void
  mend(): void
}

/** A database of the same engine that can be away. */
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
