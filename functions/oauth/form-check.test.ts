import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quickIntrospectionForm, quickTokenForm } from './form-check.ts'
import { IntrospectionForm } from './introspection.schema.ts'
import { TokenForm } from './token.schema.ts'

const around = (most: number) => fc.constantFrom('x'.repeat(most - 1), 'x'.repeat(most), 'x'.repeat(most + 1))
const value = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.oneof(...[64, 256, 512, 2048, 4096, 8192].map(around)) },
)
const formsOf = (names: readonly string[]) =>
  fc.dictionary(
    fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.constantFrom('extra', 'constructor', 'toString', '') }),
    value,
    { maxKeys: 6, noNullPrototype: true },
  )

test.each([
  ['token', TokenForm, quickTokenForm],
  ['introspection', IntrospectionForm, quickIntrospectionForm],
] as const)('says of a form for %s what the schema says of it, or leaves it to the schema', (_, schema, quick) => {
  const seen = { quick: 0, left: 0 }
  const property = fc.property(formsOf(Object.keys(schema.shape)), (form) => {
    const found = quick(form)
    seen[found === undefined ? 'left' : 'quick']++
    if (found !== undefined) expect(schema.safeParse(form)).toEqual({ success: true, data: found })
  })
  fc.assert(property, { numRuns: 20_000 })
  expect(Math.min(seen.quick, seen.left)).toBeGreaterThan(1000)
})
