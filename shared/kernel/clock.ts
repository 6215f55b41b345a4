// The only source of time.
export type Clock = {
  now(): Date
  /** Milliseconds that only grow, for measuring durations. */
  elapsed(): number
}

export const systemClock: Clock = { now: () => new Date(), elapsed: () => performance.now() }

/** Stands still until it is told to move. */
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

/** A moment to measure an age from. */
export type ClockReading = { readonly wall: number; readonly elapsed: number }
export const readClock = (clock: Clock): ClockReading => ({ wall: clock.now().getTime(), elapsed: clock.elapsed() })
/**
 * For what must not be trusted beyond an age: the larger of what both clocks say, because the growing one may stand still while a function is frozen, and
 * the other may be set back.
 */
export const ageMs = (clock: Clock, since: ClockReading): number =>
  Math.max(clock.elapsed() - since.elapsed, Math.abs(clock.now().getTime() - since.wall))
