import { expect, test } from 'vitest'
import { secondsAfter } from '#shared/kernel/clock'
import { isKeyAccepted, type KeyState, planRotation } from './key-rotation.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const HOUR = 3600
const DAY = 24 * HOUR
const ago = (seconds: number): Date => secondsAfter(NOW, -seconds)
const key = (kid: string, status: KeyState['status'], rest: Partial<KeyState> = {}): KeyState => ({
  kid,
  alg: 'ES256',
  status,
  createdAt: ago(60 * DAY),
  currentSince: null,
  retiresAt: null,
  ...rest,
})
const current = (age: number): KeyState => key('now', 'current', { currentSince: ago(age) })
const next = (age: number): KeyState => key('next', 'next', { createdAt: ago(age) })
const other = key('rsa', 'current', { alg: 'RS256', currentSince: ago(99 * DAY) })

const retire = { step: 'retire', kid: 'now', until: secondsAfter(NOW, 25 * HOUR) }
const promote = { step: 'promote', kid: 'next' }
const create = (status: 'current' | 'next') => ({ step: 'create', status })

test.each([
  ['there are no keys', [], [create('current'), create('next')]],
  ['only another algorithm has keys', [other], [create('current'), create('next')]],
  ['nothing is due', [current(29 * DAY), next(29 * DAY)], []],
  ['the next one is missing', [current(DAY)], [create('next')]],
  ['the current one is at its last second', [current(30 * DAY - 1), next(2 * DAY)], []],
  ['the current one has reached its age', [current(30 * DAY), next(2 * DAY)], [retire, promote, create('next')]],
  ['the next one is not yet published for a day', [current(40 * DAY), next(DAY - 1)], []],
  ['the next one has just been published for a day', [current(40 * DAY), next(DAY)], [retire, promote, create('next')]],
  ['the old one has no successor yet', [current(40 * DAY)], [create('next')]],
  ['the current one is missing', [next(0)], [promote, create('next')]],
  ['a retirement is over', [current(DAY), next(DAY), key('old', 'retired', { retiresAt: NOW })], [{ step: 'delete', kid: 'old' }]],
  ['a retirement is nearly over', [current(DAY), next(DAY), key('old', 'retired', { retiresAt: secondsAfter(NOW, 0.001) })], []],
  ['a key was revoked', [key('bad', 'revoked'), current(DAY), next(DAY)], []],
])('when %s', (_, keys, steps) => {
  expect(planRotation(keys, 'ES256', NOW)).toEqual(steps)
})

test('next, current and retired keys are accepted, the last until its time; revoked ones never', () => {
  expect(isKeyAccepted(next(0), NOW)).toBe(true)
  expect(isKeyAccepted(current(0), NOW)).toBe(true)
  expect(isKeyAccepted(key('r', 'retired', { retiresAt: secondsAfter(NOW, 1) }), NOW)).toBe(true)
  expect(isKeyAccepted(key('r', 'retired', { retiresAt: NOW }), NOW)).toBe(false)
  expect(isKeyAccepted(key('r', 'retired'), NOW)).toBe(false)
  expect(isKeyAccepted(key('r', 'revoked', { retiresAt: secondsAfter(NOW, 1) }), NOW)).toBe(false)
})
