// Bounds how many tasks run at once; the rest wait in order.
import { AppError } from './errors.ts'

export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Runs at most `max` tasks at once, first come, first served.
 * @throws AppError unavailable when `maxWaiting` tasks already wait: an immediate retry hint is better than a request that times out
 */
export const createSemaphore = (max: number, maxWaiting: number): Semaphore => {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running < max) running += 1
    else {
      if (waiting.length >= maxWaiting) throw new AppError('unavailable', undefined, { retryAfterSeconds: 2 })
      // The finishing task passes its place on, so `running` does not change.
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
