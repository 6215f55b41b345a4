// Whether the database lately had no room to write. A full disk still answers reads, so a ping does not notice it.
import { type DatabaseScope, type Engine, isOutOfSpace, type RunStatement } from '#db/engine/client'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'

export type Storage = {
  /** Whether a statement of this instance was refused for lack of room within the last half minute. */
  isFull(): boolean
}

const REMEMBERED_MS = 30_000

/** The engine, and what its failures tell. */
export const watchStorage = (engine: Engine, clock: Clock): { readonly engine: Engine; readonly storage: Storage } => {
  let refused: ClockReading | undefined
  const watched = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (isOutOfSpace(error)) refused = readClock(clock)
      throw error
    }
  }
  return {
    engine: {
      ...engine,
      one: (scope, statement) => watched(() => engine.one(scope, statement)),
      transaction: <T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>) => watched(() => engine.transaction(scope, work)),
    },
    storage: { isFull: () => refused !== undefined && ageMs(clock, refused) < REMEMBERED_MS },
  }
}
