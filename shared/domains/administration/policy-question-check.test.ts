import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PolicyQuestion } from './decisions.schema.ts'
import { quickPolicyQuestion } from './policy-question-check.ts'

const odd = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.constant([]), fc.constant({}))
const member = (plain: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ weight: 12, arbitrary: plain }, { weight: 1, arbitrary: odd })
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.constantFrom('', 'x'.repeat(100), 'x'.repeat(101), 'x'.repeat(200), 'x'.repeat(201)),
)
const id = fc.oneof(
  fc.uuid(),
  fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '00000000-0000-f000-0000-000000000000', ''),
  fc.uuid().map((text) => text.toUpperCase()),
  fc.uuid().map((text) => `${text}\n`),
)
const bodies = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        principal_id: member(id),
        resource: member(name),
        action: member(name),
        scope_id: member(id),
        scope_type: member(name),
        context: odd,
        extra: odd,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: odd },
)
const usual = fc.record(
  { principal_id: fc.uuid(), resource: fc.constantFrom('invoice', 'user'), action: fc.constantFrom('read', 'write'), scope_id: fc.uuid() },
  { requiredKeys: ['principal_id', 'resource', 'action'] },
)

test('the quick check agrees with the schema, or defers to it', () => {
  const property = fc.property(bodies, (question) => {
    const quick = quickPolicyQuestion(question)
    if (quick !== undefined) expect(PolicyQuestion.safeParse(question)).toEqual({ success: true, data: quick })
  })
  fc.assert(property, { numRuns: 20_000 })
})

test('the quick check handles every usual question', () => {
  fc.assert(
    fc.property(usual, (question) => {
      expect(quickPolicyQuestion(question)).toEqual(question)
    }),
  )
})
