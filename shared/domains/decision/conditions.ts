// Conditions of a binding: validated when written and again when compiled, because a later version may have stored other ones.
import { AppError } from '#shared/kernel/errors'
import { DAYS, type Hours, isTimeZone, isWithinHours, minuteOfDay, spansOf } from './hours.ts'
import { type IpAddress, type IpRange, isInRange, parseRange } from './ip-range.ts'

/** Facts about an access. A missing member fails the condition that needs it. Times are milliseconds since 1970. */
export type Context = {
  readonly mfa?: boolean | undefined
  readonly authTime?: number | undefined
  readonly address?: IpAddress | undefined
  readonly at?: number | undefined
}
export const NO_CONTEXT: Context = {}

export type ConditionName = 'mfa_required' | 'max_auth_age' | 'ip_ranges' | 'hours'
/** All present conditions must hold. */
export type Conditions = {
  readonly mfaRequired?: boolean
  readonly maxAuthAgeMs?: number
  readonly ranges?: readonly IpRange[]
  readonly hours?: Hours
}

/** Tolerated clock difference; a sign-in further in the future fails. */
const CLOCK_SKEW_MS = 60_000

/** The first condition that fails; undefined when all hold. `now` is this server's clock: a sign-in's age is never measured against `context.at`. */
export const failingCondition = (conditions: Conditions, context: Context, now: number): ConditionName | undefined => {
  const { maxAuthAgeMs, ranges, hours } = conditions
  const { authTime, address, at } = context
  if (conditions.mfaRequired === true && context.mfa !== true) return 'mfa_required'
  if (maxAuthAgeMs !== undefined && (authTime === undefined || now - authTime > maxAuthAgeMs || authTime - now > CLOCK_SKEW_MS)) return 'max_auth_age'
  if (ranges !== undefined && (address === undefined || !ranges.some((range) => isInRange(address, range)))) return 'ip_ranges'
  if (hours !== undefined && (at === undefined || !isWithinHours(hours, at))) return 'hours'
  return undefined
}

/** Why a value is not a condition; `at` is the path within `conditions`. */
class Malformed {
  readonly at: string
  readonly why: string
  constructor(at: string, why: string) {
    this.at = at
    this.why = why
  }
}

const MAX_AUTH_AGE_SECONDS = 365 * 24 * 3600
const MAX_RANGES = 100
const MAX_WINDOWS = 50

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const onlyKeys = (value: Readonly<Record<string, unknown>>, keys: readonly string[]): string | undefined =>
  Object.keys(value).find((key) => !keys.includes(key))

const parseRanges = (value: unknown): Conditions | Malformed => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_RANGES)
    return new Malformed('ip_ranges', `a list of 1 to ${MAX_RANGES} CIDR blocks`)
  const ranges: IpRange[] = []
  for (const [at, text] of value.entries()) {
    const range = typeof text === 'string' ? parseRange(text) : undefined
    if (range === undefined) return new Malformed(`ip_ranges.${at}`, 'a CIDR block such as 10.0.0.0/8 or 2001:db8::/32')
    ranges.push(range)
  }
  return { ranges }
}

const parseWindow = (value: unknown, at: string): Hours['spans'] | Malformed => {
  if (!isObject(value) || onlyKeys(value, ['days', 'from', 'to']) !== undefined) return new Malformed(at, 'an object of days, from and to')
  const { days } = value
  const [from, to] = [value.from, value.to].map((text) => (typeof text === 'string' ? minuteOfDay(text) : undefined))
  if (from === undefined || to === undefined) return new Malformed(at, 'from and to as HH:MM, 00:00 to 24:00')
  if (from === to || from === 24 * 60) return new Malformed(at, 'a window that is not empty; 00:00 to 24:00 is the whole day')
  if (!Array.isArray(days) || days.length === 0 || days.length > DAYS.length) return new Malformed(`${at}.days`, `a list of ${DAYS.join(', ')}`)
  const numbers = days.map((day) => DAYS.indexOf(day))
  if (numbers.includes(-1)) return new Malformed(`${at}.days`, `a list of ${DAYS.join(', ')}`)
  return numbers.flatMap((day) => spansOf(day, from, to))
}

const parseHours = (value: unknown): Conditions | Malformed => {
  if (!isObject(value) || onlyKeys(value, ['time_zone', 'windows']) !== undefined) return new Malformed('hours', 'an object of time_zone and windows')
  const { time_zone: timeZone, windows } = value
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) return new Malformed('hours.time_zone', 'an IANA time zone such as Europe/Vienna')
  if (!Array.isArray(windows) || windows.length === 0 || windows.length > MAX_WINDOWS)
    return new Malformed('hours.windows', `a list of 1 to ${MAX_WINDOWS} windows`)
  const spans: Hours['spans'][number][] = []
  for (const [at, window] of windows.entries()) {
    const parsed = parseWindow(window, `hours.windows.${at}`)
    if (parsed instanceof Malformed) return parsed
    spans.push(...parsed)
  }
  return { hours: { timeZone, spans } }
}

const PARSERS: Readonly<Record<ConditionName, (value: unknown) => Conditions | Malformed>> = {
  mfa_required: (value) => (typeof value === 'boolean' ? { mfaRequired: value } : new Malformed('mfa_required', 'true or false')),
  max_auth_age: (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_AUTH_AGE_SECONDS
      ? { maxAuthAgeMs: value * 1000 }
      : new Malformed('max_auth_age', `seconds, 1 to ${MAX_AUTH_AGE_SECONDS}`),
  ip_ranges: parseRanges,
  hours: parseHours,
}
const isName = (key: string): key is ConditionName => Object.hasOwn(PARSERS, key)

const parseAll = (value: unknown): Conditions | undefined | Malformed => {
  if (value === null || value === undefined) return undefined
  if (!isObject(value)) return new Malformed('', 'an object')
  let all: Conditions | undefined
  for (const [key, member] of Object.entries(value)) {
    if (!isName(key)) return new Malformed(key.slice(0, 40), 'not a known condition')
    const one = PARSERS[key](member)
    if (one instanceof Malformed) return one
    all = { ...all, ...one }
  }
  return all
}

/** Parses stored conditions. `unusable` grants nothing: an unknown key may be a restriction that a later version wrote. */
export const readConditions = (value: unknown): Conditions | undefined | 'unusable' => {
  const outcome = parseAll(value)
  return outcome instanceof Malformed ? 'unusable' : outcome
}

/**
 * Validates conditions before they are stored. Returns null for none.
 * @throws AppError invalid_request, naming the member below `at`
 */
export const parseConditions = (value: unknown, at = 'body.conditions'): Readonly<Record<string, unknown>> | null => {
  const outcome = parseAll(value)
  if (outcome instanceof Malformed) {
    const field = [at, outcome.at].filter((part) => part !== '').join('.')
    throw new AppError('invalid_request', `${field}: ${outcome.why}`, { field })
  }
  return outcome === undefined || !isObject(value) ? null : value
}
