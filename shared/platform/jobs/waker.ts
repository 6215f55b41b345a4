// Runs a piece of work inside a process that lives on (the local server) whenever somebody asks, and again when the work itself says. In the cloud a queue does
// this, and a job is the net under both.
import { AsyncResource } from 'node:async_hooks'

export type Waker = {
  /** The work is done soon after; never waits and never throws. Many calls at once are one. */
  wake(): void
  /** Resolves once nothing is being done. */
  idle(): Promise<void>
  /** Ends what runs and starts nothing more. */
  stop(): Promise<void>
}

const LONGEST_SLEEP_MS = 15 * 60_000
const SHORTEST_SLEEP_MS = 1000

/** `work` never throws; it answers in how many milliseconds it wants to be done again: undefined when nothing waits, for an idle database may sleep too. */
export const waker = (work: () => Promise<number | undefined>): Waker => {
  let running: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsked = false
  let isStopped = false

  const takeAsked = (): boolean => {
    const requested = isAsked && !isStopped
    isAsked = false
    return requested
  }
  const sleep = (ms: number): void => {
    timer = setTimeout(wake, Math.min(Math.max(ms, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS))
    timer.unref()
  }
  // Bound here, or a round would inherit the transaction and the trace of the request that woke it.
  const round = AsyncResource.bind(async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve))
    let ms = await work()
    while (takeAsked()) ms = await work()
    running = undefined
    if (ms !== undefined && !isStopped) sleep(ms)
  })
  const wake = (): void => {
    if (running !== undefined) isAsked = true
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
