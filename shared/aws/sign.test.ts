import { expect, test } from 'vitest'
import { signed } from './sign.ts'

/** AWS's own test suite for Signature Version 4: its credentials, and the request `post-vanilla`. */
const VECTOR = {
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  region: 'us-east-1',
  service: 'service',
  host: 'example.amazonaws.com',
  headers: {},
  body: '',
  at: new Date('2015-08-30T12:36:00.000Z'),
} as const

test('a request is signed as the specification’s own example', () => {
  expect(signed(VECTOR)).toEqual({
    host: 'example.amazonaws.com',
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  })
})

test('what is said, where, when and as whom is all in the signature', () => {
  const signatureOf = (more: Partial<Parameters<typeof signed>[0]>): string =>
    signed({ ...VECTOR, ...more }).authorization?.replace(/^.*Signature=/, '') ?? ''
  const others = [
    { body: '{}' },
    { headers: { 'x-amz-target': 'AmazonSQS.SendMessage' } },
    { host: 'other.amazonaws.com' },
    { region: 'eu-central-1' },
    { service: 'sqs' },
    { at: new Date('2015-08-30T12:36:01.000Z') },
    { credentials: { ...VECTOR.credentials, secretAccessKey: 'other' } },
    { credentials: { ...VECTOR.credentials, sessionToken: 'token' } },
  ]
  expect(new Set([{}, ...others].map(signatureOf)).size).toBe(others.length + 1)
  expect(signed({ ...VECTOR, credentials: { ...VECTOR.credentials, sessionToken: 'token' } })).toMatchObject({
    'x-amz-security-token': 'token',
    authorization: expect.stringContaining('SignedHeaders=host;x-amz-date;x-amz-security-token,'),
  })
})
