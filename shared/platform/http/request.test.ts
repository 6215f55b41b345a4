import { expect, test } from 'vitest'
import { cookieOf, requestIdOf } from './request.ts'

test.each([
  ['a=1', '1'],
  ['b=2; a=1', '1'],
  [' a = 1 ;b=2', '1'],
  ['a=1=2', '1=2'],
  ['a=', ''],
  ['a=1; a=2', undefined],
  ['a=1; a=1', undefined],
  ['a=1; b=2; a=', undefined],
  ['a', undefined],
  ['=1', undefined],
  ['ab=1; A=2', undefined],
  ['', undefined],
])('in %j the cookie is %j: a repeated cookie is not trusted, because one of the two may be planted', (cookie, value) => {
  expect(cookieOf(new Headers({ cookie }), 'a')).toBe(value)
})

test.each([
  ['0190b0a0-0000-7000-8000-00000000000f', true],
  ['a.b:c_d-1', true],
  ['x'.repeat(64), true],
  ['x'.repeat(65), false],
  ['', false],
  ['a b', false],
  ['<script>', false],
  ['a,b', false],
])('the request id %j is echoed: %j', (sent, isEchoed) => {
  expect(requestIdOf(new Headers({ 'x-request-id': sent }), () => 'ours')).toBe(isEchoed ? sent : 'ours')
})
