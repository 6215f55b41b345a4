// Runs work in a long-running process (the local server) when it is requested, and again when the work asks for it. In the cloud a queue does this; a
// scheduled job covers both.
import { AsyncResource } from 'node:async_hooks'

export type Waker = {
  /** Requests a run; never waits and never throws. Concurrent requests are merged. */
  wake(): void
  /** Resolves when nothing is running. */
  idle(): Promise<void>
  /** Waits for the current run and starts no further one. */
  stop(): Promise<void>
}

const LONGEST_SLEEP_MS = 15 * 60_000
const SHORTEST_SLEEP_MS = 1000

/**
 * `work` never throws. It returns the milliseconds until its next run, or undefined when nothing is waiting, so that an idle database can sleep too.
 */
export const waker = (work: () => Promise<number | undefined>): Waker => {
  let running: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isRequested = false
  let isStopped = false

  const consumeRequest = (): boolean => {
    const requested = isRequested && !isStopped
    isRequested = false
    return requested
  }
  const sleep = (ms: number): void => {
    timer = setTimeout(wake, Math.min(Math.max(ms, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS))
    timer.unref()
  }
  // Bound here; otherwise a run would inherit the transaction and the trace of the request that triggered it.
  const round = AsyncResource.bind(async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    let ms = await work()
    while (consumeRequest()) ms = await work()
    running = undefined
    if (ms !== undefined && !isStopped) sleep(ms)
  })
  const wake = (): void => {
    if (running !== undefined) isRequested = true
    if (isStopped || running !== undefined) return
    clearTimeout(timer)
    running = round()
  }
  const idle = async (): Promise<void> => {
    while (running !== undefined) await running
  }
  const stop = (): Promise<void> => {
    isStopped = true
    clearTimeout(timer)
    return idle()
  }
  return { wake, idle, stop }
}
