import { expect, test } from 'vitest'
import { plainText } from './plain-text.ts'

test('plain text keeps no invisible characters, direction marks, markup or line breaks', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['plain words, 10 \u20ac', 'plain words, 10 \u20ac'],
    ['a\u200bb\u200cc\u200dd\ufeffe\u2060f', 'abcdef'],
    ['\u202eabc\u202c \u2066def\u2069 \u200e\u200f', 'abc def'],
    ['<b>bold</b><script>x', 'bold x'],
    ['a < b', 'a b'],
    ['<<b>script>x', 'scriptx'],
    ['<script x', 'script x'],
    ['line\r\nbreak\u2028here\ttab', 'line break here tab'],
    ['\u0000\u0007\u001b[31mred', '[31mred'],
    ['tag\u{e0041}\u{e007f}s', 'tags'],
    [`o${'\u0301'.repeat(50)}`, '\u00f3\u0301\u0301'],
    ['\u3164\u115f\u2800 ', undefined],
    ['\u202e\u200b', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of cases) expect(plainText(text, 255), JSON.stringify(text)).toBe(expected)
  expect([...(plainText('\u{1f600}'.repeat(300), 255) ?? '')]).toHaveLength(255)
})
