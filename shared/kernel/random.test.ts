import { expect, test } from 'vitest'
import { fixedClock } from './clock.ts'
import { lowestIdAt, systemRandom } from './random.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids of one process sort in creation order, also within a millisecond and past its counter', () => {
  const clock = fixedClock('2026-01-01T00:00:00Z')
  const random = systemRandom(clock)
  const ids = Array.from({ length: 10_000 }, (_, n) => {
    if (n % 3000 === 0) clock.advance(0.001)
    return random.id()
  })
  expect(ids).toEqual(ids.toSorted())
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(UUID_V7)
})

test('ids keep their order when the clock is corrected back by a few seconds', () => {
  const clock = fixedClock('2026-01-02T00:00:00Z')
  const random = systemRandom(clock)
  const ids = [random.id()]
  for (const seconds of [-5, 1, 1, -20, 3, 60]) {
    clock.advance(seconds)
    ids.push(random.id(), random.id())
  }
  expect(ids).toEqual(ids.toSorted())
})

test('ids follow a clock that was set back far', () => {
  const clock = fixedClock('2026-01-02T00:00:00Z')
  const random = systemRandom(clock)
  const later = random.id()
  clock.set(new Date('2026-01-01T00:00:00Z'))
  expect(random.id() < later).toBe(true)
})

test('the least id of a moment sorts after earlier ids and before later ones', () => {
  const clock = fixedClock('2026-01-01T00:00:00Z')
  const random = systemRandom(clock)
  const before = random.id()
  clock.advance(0.001)
  const bound = lowestIdAt(clock.now())
  expect(bound).toMatch(UUID_V7)
  expect([before, random.id(), bound].toSorted()).toEqual([before, bound, expect.any(String)])
})
