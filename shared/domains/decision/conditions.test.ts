// Binding conditions at their boundaries.
import { describe, expect, test } from 'vitest'
import { AppError } from '#shared/kernel/errors'
import { type Context, failingCondition, parseConditions, readConditions } from './conditions.ts'
import { parseAddress } from './ip-range.ts'

const NOW = Date.parse('2026-03-02T09:00:00Z')
const holds = (value: unknown, context: Context): boolean => {
  const conditions = readConditions(value)
  return conditions === undefined || (conditions !== 'unusable' && failingCondition(conditions, context, NOW) === undefined)
}

describe('hours', () => {
  const window = (timeZone: string, days: readonly string[], from: string, to: string) => ({
    hours: { time_zone: timeZone, windows: [{ days, from, to }] },
  })
  const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
  test.each([
    // Vienna springs forward on 2026-03-29: 02:00 becomes 03:00, at 01:00 UTC.
    ['before the change to summer time', window('Europe/Vienna', ['sun'], '01:00', '02:00'), '2026-03-29T00:59:59Z', true],
    ['the skipped hour is empty', window('Europe/Vienna', ['sun'], '02:00', '03:00'), '2026-03-29T01:00:00Z', false],
    ['the hour after the skipped one', window('Europe/Vienna', ['sun'], '03:00', '04:00'), '2026-03-29T01:00:00Z', true],
    // It falls back on 2026-10-25: 03:00 becomes 02:00, at 01:00 UTC.
    ['the repeated hour, first time', window('Europe/Vienna', ['sun'], '02:00', '03:00'), '2026-10-25T00:30:00Z', true],
    ['the repeated hour, second time', window('Europe/Vienna', ['sun'], '02:00', '03:00'), '2026-10-25T01:30:00Z', true],
    ['after the repeated hour', window('Europe/Vienna', ['sun'], '02:00', '03:00'), '2026-10-25T02:00:00Z', false],
    // Lord Howe Island shifts by half an hour.
    ['a skipped half hour', window('Australia/Lord_Howe', ['sun'], '02:00', '02:30'), '2026-10-03T15:30:00Z', false],
    // A window past midnight belongs to the day on which it begins.
    ['past midnight, evening', window('UTC', ['fri'], '22:00', '06:00'), '2026-03-06T22:00:00Z', true],
    ['past midnight, next morning', window('UTC', ['fri'], '22:00', '06:00'), '2026-03-07T05:59:00Z', true],
    ['past midnight, at its end', window('UTC', ['fri'], '22:00', '06:00'), '2026-03-07T06:00:00Z', false],
    ['past midnight, previous morning', window('UTC', ['fri'], '22:00', '06:00'), '2026-03-06T05:59:00Z', false],
    ['past the end of the week', window('UTC', ['sun'], '22:00', '06:00'), '2026-03-02T05:00:00Z', true],
    ['past the end of the week, at its end', window('UTC', ['sun'], '22:00', '06:00'), '2026-03-02T06:00:00Z', false],
    ['until midnight', window('UTC', ['mon'], '09:00', '24:00'), '2026-03-02T23:59:59Z', true],
    ['midnight is the next day', window('UTC', ['mon'], '09:00', '24:00'), '2026-03-03T00:00:00Z', false],
    ['an end of 00:00 means midnight', window('UTC', ['mon'], '09:00', '00:00'), '2026-03-02T23:59:59Z', true],
    ['all day', window('UTC', EVERY_DAY, '00:00', '24:00'), '2026-03-04T00:00:00Z', true],
    ['the time zone determines the day', window('Pacific/Auckland', ['tue'], '00:00', '24:00'), '2026-03-02T12:00:00Z', true],
    ['a time zone with an offset of 45 minutes', window('Asia/Kathmandu', ['mon'], '14:45', '14:46'), '2026-03-02T09:00:00Z', true],
  ])('%s', (_, conditions, at, expected) => {
    expect(holds(conditions, { at: Date.parse(at) })).toBe(expected)
  })
})

test('all spellings of a time zone share one formatter, so that they cannot exhaust memory', () => {
  const Real = Intl.DateTimeFormat
  let made = 0
  Intl.DateTimeFormat = new Proxy(Real, {
    construct: (target, given) => {
      made += 1
      return Reflect.construct(target, given)
    },
  })
  try {
    for (let n = 1; n < 64; n++) {
      const zone = [...'america/los_angeles'].map((letter, at) => ((n >> (at % 6)) & 1 ? letter.toUpperCase() : letter)).join('')
      const conditions = { hours: { time_zone: zone, windows: [{ days: ['mon'], from: '01:00', to: '02:00' }] } }
      expect(holds(conditions, { at: NOW })).toBe(true)
    }
  } finally {
    Intl.DateTimeFormat = Real
  }
  expect(made).toBeLessThanOrEqual(1)
})

test('the cached local time of a zone is used for one moment only', () => {
  const conditions = { hours: { time_zone: 'UTC', windows: [{ days: ['mon'], from: '09:00', to: '10:00' }] } }
  for (const [at, expected] of [
    [NOW, true],
    [NOW - 60_000, false],
    [NOW, true],
    [NOW + 3_600_000, false],
  ] as const)
    expect(holds(conditions, { at })).toBe(expected)
})

describe('IP ranges', () => {
  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:a01:203', true],
    ['10.0.0.0/8', '::10.1.2.3', false],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:0:0/96', '203.0.113.9', true],
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7/32', '203.0.113.8', false],
    ['0.0.0.0/0', '203.0.113.8', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.8', false],
    ['2001:db8::/32', '2001:DB8:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/127', '2001:db8::1', true],
    ['2001:db8::/127', '2001:db8::2', false],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1', true],
    ['fe80::/10', 'fe80::1%eth0', false],
    ['64:ff9b::/96', '64:ff9b::192.0.2.33', true],
    ['10.0.0.0/8', 'not an address', false],
  ])('%s and %s: %s', (range, text, expected) => {
    expect(holds({ ip_ranges: ['192.0.2.0/24', range] }, { address: parseAddress(text) })).toBe(expected)
  })
})

describe('second factor and age of the sign-in', () => {
  test.each([
    [{ mfa_required: true }, { mfa: true }, true],
    [{ mfa_required: true }, { mfa: false }, false],
    [{ mfa_required: false }, {}, true],
    [{ max_auth_age: 60 }, { authTime: NOW - 60_000 }, true],
    [{ max_auth_age: 60 }, { authTime: NOW - 60_001 }, false],
    [{ max_auth_age: 60 }, { authTime: NOW + 60_000 }, true],
    [{ max_auth_age: 60 }, { authTime: NOW + 60_001 }, false],
    // `at` does not make a sign-in more recent.
    [{ max_auth_age: 60 }, { authTime: NOW - 3_600_000, at: NOW - 3_600_000 }, false],
    [{ mfa_required: true, max_auth_age: 60 }, { mfa: true, authTime: NOW - 61_000 }, false],
  ])('%j with %j: %s', (conditions, context, expected) => {
    expect(holds(conditions, context)).toBe(expected)
  })
})

test('a missing context member fails the condition that needs it', () => {
  const all = {
    mfa_required: true,
    max_auth_age: 60,
    ip_ranges: ['10.0.0.0/8'],
    hours: { time_zone: 'UTC', windows: [{ days: ['mon'], from: '00:00', to: '24:00' }] },
  }
  const context = { mfa: true, authTime: NOW, address: parseAddress('10.0.0.1'), at: NOW }
  expect(holds(all, context)).toBe(true)
  for (const member of ['mfa', 'authTime', 'address', 'at'] as const) expect(holds(all, { ...context, [member]: undefined })).toBe(false)
  for (const [name, value] of Object.entries(all)) expect(holds({ [name]: value }, {})).toBe(false)
})

const MALFORMED: readonly (readonly [value: unknown, field: string])[] = [
  ['text', 'body.conditions'],
  [[], 'body.conditions'],
  [{ department: 'sales' }, 'body.conditions.department'],
  [{ __proto__x: 1 }, 'body.conditions.__proto__x'],
  [{ constructor: true }, 'body.conditions.constructor'],
  [JSON.parse('{"__proto__": {"mfa_required": false}}'), 'body.conditions.__proto__'],
  [{ mfa_required: 'true' }, 'body.conditions.mfa_required'],
  [{ max_auth_age: 0 }, 'body.conditions.max_auth_age'],
  [{ max_auth_age: 1.5 }, 'body.conditions.max_auth_age'],
  [{ max_auth_age: '60' }, 'body.conditions.max_auth_age'],
  [{ ip_ranges: [] }, 'body.conditions.ip_ranges'],
  [{ ip_ranges: '10.0.0.0/8' }, 'body.conditions.ip_ranges'],
  [{ ip_ranges: ['10.0.0.1/8'] }, 'body.conditions.ip_ranges.0'],
  [{ ip_ranges: ['10.0.0.0/33'] }, 'body.conditions.ip_ranges.0'],
  [{ ip_ranges: ['10.0.0.0/08'] }, 'body.conditions.ip_ranges.0'],
  [{ ip_ranges: ['10.0.0.0/8', 'example.org'] }, 'body.conditions.ip_ranges.1'],
  [{ ip_ranges: ['::ffff:10.0.0.0/95'] }, 'body.conditions.ip_ranges.0'],
  [{ hours: { time_zone: 'Europe/Atlantis', windows: [] } }, 'body.conditions.hours.time_zone'],
  [{ hours: { time_zone: '+01:00', windows: [] } }, 'body.conditions.hours.time_zone'],
  [{ hours: { time_zone: 'UTC', windows: [] } }, 'body.conditions.hours.windows'],
  [{ hours: { time_zone: 'UTC', windows: [{ days: ['mon'], from: '9:00', to: '10:00' }] } }, 'body.conditions.hours.windows.0'],
  [{ hours: { time_zone: 'UTC', windows: [{ days: ['mon'], from: '09:00', to: '09:00' }] } }, 'body.conditions.hours.windows.0'],
  [{ hours: { time_zone: 'UTC', windows: [{ days: ['mon'], from: '24:00', to: '09:00' }] } }, 'body.conditions.hours.windows.0'],
  [{ hours: { time_zone: 'UTC', windows: [{ days: ['monday'], from: '08:00', to: '09:00' }] } }, 'body.conditions.hours.windows.0.days'],
  [{ hours: { time_zone: 'UTC', windows: [{ days: ['mon'], from: '08:00', to: '09:00', until: 1 }] } }, 'body.conditions.hours.windows.0'],
  [{ hours: { time_zone: 'UTC', windows: [], holidays: [] } }, 'body.conditions.hours'],
]

describe('malformed conditions', () => {
  test.each(MALFORMED)('%j is refused by field when written, and grants nothing when stored', (value, field) => {
    const refused = (): unknown => parseConditions(value)
    expect(refused).toThrow(AppError)
    try {
      refused()
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_request', details: { field } })
    }
    expect(readConditions(value)).toBe('unusable')
  })
  test('absent or empty conditions do not restrict', () => {
    for (const none of [null, undefined, {}]) {
      expect(parseConditions(none)).toBeNull()
      expect(readConditions(none)).toBeUndefined()
    }
    const some = { mfa_required: true }
    expect(parseConditions(some)).toEqual(some)
  })
})
