// The only source of time.
export type Clock = {
  now(): Date
  /** Milliseconds that only grow, for measuring durations. */
  elapsed(): number
}

export const systemClock: Clock = { now: () => new Date(), elapsed: () => performance.now() }

/** The same instant at each reading, so that times of one request fit together. Durations go on. Nothing that outlives the request may keep it. */
export const stoppedClock = (clock: Clock): Clock => {
  const at = clock.now()
  return { now: () => at, elapsed: () => clock.elapsed() }
}

/** A clock for tests: it moves only when `advance` or `set` is called. */
export const fixedClock = (start: string | Date): Clock & { advance(seconds: number): void; set(to: Date): void } => {
  let at = new Date(start).getTime()
  return {
    now: () => new Date(at),
    elapsed: () => at,
    advance: (seconds) => {
      at += seconds * 1000
    },
    set: (to) => {
      at = to.getTime()
    },
  }
}

export const secondsAfter = (at: Date, seconds: number): Date => new Date(at.getTime() + seconds * 1000)
/** Unix seconds, as JSON Web Tokens count (RFC 7519 section 2, NumericDate). */
export const unixSeconds = (at: Date): number => Math.floor(at.getTime() / 1000)

/** A point in time from which `ageMs` measures an age. */
export type ClockReading = { readonly wall: number; readonly elapsed: number }
export const readClock = (clock: Clock): ClockReading => ({ wall: clock.now().getTime(), elapsed: clock.elapsed() })
/**
 * Age in milliseconds, for values that expire: the larger of the ages by both clocks. The monotonic clock may stop while a function is frozen, and
 * the wall clock may be set back.
 */
export const ageMs = (clock: Clock, since: ClockReading): number =>
  Math.max(clock.elapsed() - since.elapsed, Math.abs(clock.now().getTime() - since.wall))
