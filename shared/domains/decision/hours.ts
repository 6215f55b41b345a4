// Weekly windows of local time in a time zone. The time zone's daylight saving applies.

export const DAYS: readonly string[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const DAY = 24 * 60
const WEEK = 7 * DAY

/** Minutes of the week since Monday 00:00; `to` is exclusive. A window past the end of the week becomes two spans. */
type Span = { readonly from: number; readonly to: number }
export type Hours = { readonly timeZone: string; readonly spans: readonly Span[] }

/** A time zone's formatter and its last result, because the bindings of a decision or batch mostly share one moment. */
type Zone = { readonly format: Intl.DateTimeFormat; at: number; minute: number }
/** One formatter per time zone, keyed in lower case: creating one costs a thousand times its use. */
const zones = new Map<string, Zone>()
const zoneOf = (timeZone: string): Zone => {
  const name = timeZone.toLowerCase()
  const known = zones.get(name)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const made = { format, at: Number.NaN, minute: 0 }
  zones.set(name, made)
  return made
}

/** IANA names only: an offset such as `+01:00` would ignore daylight saving. */
export const isTimeZone = (name: string): boolean => {
  if (name.length > 64 || !/^[A-Za-z][\w+/-]*$/.test(name)) return false
  try {
    zoneOf(name)
    return true
  } catch {
    return false
  }
}

const readMinuteOfWeek = ({ format }: Zone, at: number): number => {
  let [day, hour, minute] = [0, 0, 0]
  for (const { type, value } of format.formatToParts(at)) {
    if (type === 'weekday') day = DAYS.indexOf(value.toLowerCase())
    else if (type === 'hour') hour = Number(value)
    else if (type === 'minute') minute = Number(value)
  }
  return day * DAY + hour * 60 + minute
}

const minuteOfWeek = (timeZone: string, at: number): number => {
  const zone = zoneOf(timeZone)
  if (zone.at !== at) [zone.minute, zone.at] = [readMinuteOfWeek(zone, at), at]
  return zone.minute
}

const CLOCK = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/
/** Parses `00:00` to `24:00` into minutes of the day. */
export const minuteOfDay = (text: string): number | undefined => {
  const match = CLOCK.exec(text)
  if (match === null) return undefined
  return match[1] === undefined ? DAY : Number(match[1]) * 60 + Number(match[2])
}

/** A window that ends before it begins runs past midnight into the next day. */
export const spansOf = (day: number, from: number, to: number): readonly Span[] => {
  const begins = day * DAY + from
  const ends = day * DAY + (to > from ? to : to + DAY)
  return ends <= WEEK
    ? [{ from: begins, to: ends }]
    : [
        { from: begins, to: WEEK },
        { from: 0, to: ends - WEEK },
      ]
}

/** Whether the local time at that moment (milliseconds since 1970) is in one of the windows. */
export const isWithinHours = ({ timeZone, spans }: Hours, at: number): boolean => {
  const minute = minuteOfWeek(timeZone, at)
  return spans.some(({ from, to }) => from <= minute && minute < to)
}
