// The rule language of attestors.
import { describe, expect, test } from 'vitest'
import { EvidenceRefusal } from './refusal.ts'
import { factOf, isRule, matchesRule, requireRules } from './rules.ts'

describe('a rule', () => {
  test.each([
    ['refs/heads/main', 'refs/heads/main', true],
    ['refs/heads/main', 'refs/heads/main2', false],
    ['refs/heads/main', 'refs/heads/Main', false],
    ['refs/heads/main', 'x/refs/heads/main', false],
    ['refs/heads/*', 'refs/heads/main', true],
    ['refs/heads/*', 'refs/heads/', false],
    ['refs/heads/*', 'refs/heads/a/b', false],
    ['refs/heads/*', 'x-refs/heads/main', false],
    ['refs/heads/release-*', 'refs/heads/release-2', true],
    ['refs/heads/release-*', 'refs/heads/release-2/hotfix', false],
    ['refs/heads/release-*', 'refs/heads/release-', false],
    ['1.3', '1x3', false],
  ])('%s compared with %s: %s', (rule, value, matches) => {
    expect(matchesRule(rule, value)).toBe(matches)
  })

  test.each(['', '*', 'a*b', '*a', 'a**', 'refs/*/main', 'ü', 'a\nb', 'a\u202eb', 'x'.repeat(513)])('may not be %j', (rule) => {
    expect(isRule(rule)).toBe(false)
  })
  test.each(['a', 'a*', 'refs/heads/*', 'with space'])('may be %j', (rule) => {
    expect(isRule(rule)).toBe(true)
  })
})

describe('evidence', () => {
  const failed = (rules: Readonly<Record<string, string>>, facts: Readonly<Record<string, readonly string[]>>) => {
    try {
      requireRules(rules, facts)
      return undefined
    } catch (error) {
      return error instanceof EvidenceRefusal ? error.check : error
    }
  }
  test('is accepted when all rules match', () => {
    expect(failed({ a: '1', b: 'x*' }, { a: ['1'], b: ['y', 'xy'], c: [] })).toBeUndefined()
  })
  test('is refused by the name of the first rule that does not match', () => {
    expect(failed({ a: '1', b: '2' }, { a: ['1'], b: ['1'] })).toBe('rule.b')
    expect(failed({ a: '1' }, {})).toBe('rule.a')
    expect(failed({ a: '1' }, { a: [] })).toBe('rule.a')
    expect(failed({ constructor: 'Object' }, {})).toBe('rule.constructor')
  })
  test('is refused without any rule, and by a rule that could not be made', () => {
    expect(failed({}, { a: ['1'] })).toBe('rules')
    expect(failed({ a: '*' }, { a: ['1'] })).toBe('rule.a')
  })
  test('states only texts that have one spelling', () => {
    for (const value of ['', 'ü', 'а', 'a\u0000', 'a\u200b', 'x'.repeat(513), null, {}, 1.5, Number.MAX_VALUE]) expect(factOf(value)).toEqual([])
    expect([factOf('a b'), factOf(true), factOf(7), factOf(['a', 'ü', 1])]).toEqual([['a b'], ['true'], ['7'], ['a', '1']])
  })
})
