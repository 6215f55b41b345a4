// Read a snapshot, decide, write on the condition that the snapshot is still true; begin again when it is not.
import { AppError } from './errors.ts'

/** The write found that what the decision was based on has changed. Nothing was written. */
export class SnapshotChanged extends Error {
  constructor() {
    super('The snapshot is out of date.')
    this.name = 'SnapshotChanged'
  }
}

/** An attempt fails only when another request changed the same rows, or when the database took more than a second to begin. */
const ATTEMPTS = 5

/** Repeats `attempt` while it throws `SnapshotChanged`. `isFirst` is false when it has to read again. @throws AppError unavailable after five attempts */
export const onSnapshot = async <T>(attempt: (isFirst: boolean) => Promise<T>): Promise<T> => {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    try {
      return await attempt(left === ATTEMPTS)
    } catch (error) {
      if (!(error instanceof SnapshotChanged)) throw error
    }
  }
  throw new AppError('unavailable')
}
