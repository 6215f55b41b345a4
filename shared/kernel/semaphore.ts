// Bounds how many pieces of work run at once; the rest wait their turn.
import { AppError } from './errors.ts'

export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>

/**
 * At most `max` at once, first come, first served.
 * @throws AppError unavailable at once when `maxWaiting` are already in line: who would wait past the request's end is better told to come back.
 */
export const createSemaphore = (max: number, maxWaiting: number): Semaphore => {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running < max) running += 1
    else {
      if (waiting.length >= maxWaiting) throw new AppError('unavailable', undefined, { retryAfterSeconds: 2 })
      // The one that ends hands its place over, so `running` does not change.
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
