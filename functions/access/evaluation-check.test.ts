// The hand-written parser accepts what the schema accepts, and returns the same value.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Evaluation } from './evaluation.schema.ts'
import { quickEvaluation } from './evaluation-check.ts'

const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.constantFrom('', 'x'.repeat(200), 'x'.repeat(201), 'x'.repeat(500), 'x'.repeat(501)),
)
const odd = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.constant([]), fc.constant({}))
const member = (plain: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ weight: 12, arbitrary: plain }, { weight: 1, arbitrary: odd })
const optional = { requiredKeys: [] }
const more = member(fc.constant(undefined))
const entity = fc.record({ type: member(name), id: member(name), properties: more, extra: more }, optional)
const action = fc.record({ name: member(name), properties: more, extra: more }, optional)
const sent = fc.oneof(
  { weight: 9, arbitrary: fc.record({ subject: member(entity), action: member(action), resource: member(entity), context: more, extra: more }) },
  { weight: 1, arbitrary: odd },
)
const usual = fc.record({
  subject: fc.record({ type: fc.constant('user'), id: fc.uuid() }),
  action: fc.record({ name: fc.string({ minLength: 1, maxLength: 200 }) }),
  resource: fc.record({ type: fc.string({ minLength: 1, maxLength: 200 }), id: fc.uuid() }),
})

test('agrees with the schema or leaves the question to it', () => {
  const property = fc.property(sent, (question) => {
    const quick = quickEvaluation(question)
    if (quick !== undefined) expect(Evaluation.safeParse(question)).toEqual({ success: true, data: quick })
  })
  fc.assert(property, { numRuns: 20_000 })
})

test('parses every usual question itself', () => {
  fc.assert(
    fc.property(usual, (question) => {
      expect(quickEvaluation(question)).toEqual(question)
    }),
  )
})
