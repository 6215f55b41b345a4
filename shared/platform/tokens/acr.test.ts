import { expect, test } from 'vitest'
import { acrOf, atLeast } from './acr.ts'

test.each<[readonly string[], string]>([
  [[], 'aal1'],
  [['pwd'], 'aal1'],
  [['otp'], 'aal1'],
  [['otp', 'sms'], 'aal1'],
  [['pwd', 'pwd'], 'aal1'],
  [['pwd', 'made-up'], 'aal1'],
  [['pwd', 'otp'], 'aal2'],
  [['pwd', 'sms'], 'aal2'],
  [['hwk'], 'aal1'],
  [['hwk', 'user'], 'aal1'],
  [['pop', 'otp'], 'aal1'],
  [['hwk', 'pin'], 'aal3'],
  [['swk', 'fpt'], 'aal3'],
  [['hwk', 'mfa'], 'aal3'],
  [['pwd', 'hwk'], 'aal3'],
  [['fed'], 'aal1'],
  [['fed', 'pwd'], 'aal1'],
  [['fed', 'otp'], 'aal2'],
  [['fed', 'mfa'], 'aal2'],
  [['fed', 'hwk'], 'aal2'],
  [['fed', 'hwk', 'pin'], 'aal3'],
])('%j is %s', (amr, acr) => {
  expect(acrOf(amr)).toBe(acr)
})

test('a context satisfies requirements of at most its strength; unknown names satisfy nothing and are never satisfied', () => {
  expect(atLeast('aal1', undefined)).toBe(true)
  expect(atLeast('aal2', 'aal1')).toBe(true)
  expect(atLeast('aal2', 'aal2')).toBe(true)
  expect(atLeast('aal2', 'aal3')).toBe(false)
  expect(atLeast('urn:made-up', 'aal1')).toBe(false)
  expect(atLeast('aal3', 'urn:made-up')).toBe(false)
  expect(atLeast('', '')).toBe(false)
})
