import { expect, test } from 'vitest'
import { canonicalSelectors, objectOfSelectors, selectorsOfObject } from './selectors.ts'

test('selectors are sorted and distinct', () => {
  expect(canonicalSelectors(['unix:uid:2', 'k8s:ns:a', 'unix:uid:2'], 'f')).toEqual(['k8s:ns:a', 'unix:uid:2'])
})

test.each([[[]], [['x']], [['x:']], [[':x']], [['X:y']], [['x:a\u0000']], [['x:a\nb']], [[`x:${'y'.repeat(401)}`]]])(
  '%j are refused',
  (selectors) => {
    expect(() => canonicalSelectors(selectors, 'f')).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  },
)

test.each([
  [{ 'k8s:ns': 'prod' }, ['k8s:ns:prod']],
  [{ 'k8s:pod-label:app': 'a:b' }, ['k8s:pod-label:app:a:b']],
  [{ 'docker:label:app': 'x', 'docker:image-id': 'sha256:ab' }, ['docker:image-id:sha256:ab', 'docker:label:app:x']],
  [{ 'unix:gid': ['1', '2'] }, ['unix:gid:1', 'unix:gid:2']],
  [{ join: 'id' }, ['join:id']],
])('%j is the same again in AuthSec\u2019s form', (object, selectors) => {
  expect(selectorsOfObject(object, 'f')).toEqual(selectors)
  expect(objectOfSelectors(selectors)).toEqual(object)
})
