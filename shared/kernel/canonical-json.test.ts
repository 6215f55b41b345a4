import { expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'

// The example of RFC 8785 section 3.2.2, and its ordering of names in section 3.2.3.
test('the examples of the specification', () => {
  const sample = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  )
  expect(canonicalJson(sample)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
  const names = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji',
    '\u0080': 'Control',
    '\u00f6': 'Latin',
  }
  expect(canonicalJson(names)).toBe(
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin","\u20ac":"Euro Sign","\ud83d\ude00":"Emoji","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  )
})

test('a value and its JSON have the same canonical text', () => {
  const value = { b: undefined, a: [undefined, new Date(0), { z: -0, y: Number.NaN }], c: { nested: { d: 1, c: undefined } } }
  expect(canonicalJson(value)).toBe(canonicalJson(JSON.parse(JSON.stringify(value))))
  expect(() => canonicalJson({ n: 1n })).toThrow(TypeError)
})
