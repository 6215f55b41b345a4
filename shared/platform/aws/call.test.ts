import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { type AwsAccess, awsAccessFrom, awsCalls } from './call.ts'

const answers: (readonly [status: number, body: unknown])[] = []
const input: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  input.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
  const [status, body] = answers.shift() ?? [500, {}]
  response.writeHead(status).end(JSON.stringify(body))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

const access: AwsAccess = {
  credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'session' },
  region: 'eu-central-1',
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
}
const callWith = async (...given: typeof answers) => {
  answers.splice(0, answers.length, ...given)
  input.length = 0
  return awsCalls(access, 'sqs')('SendMessage', { QueueUrl: 'q' })
}

test('a call has its action and session token, and is signed', async () => {
  expect(await callWith([200, { MessageId: 'm' }])).toEqual({ MessageId: 'm' })
  expect(input).toEqual([
    {
      body: '{"QueueUrl":"q"}',
      headers: expect.objectContaining({
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.SendMessage',
        'x-amz-security-token': 'session',
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/eu-central-1\/sqs\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
        ),
      }),
    },
  ])
  expect(JSON.stringify(input)).not.toContain('secret"')
})

test('transient failures are retried twice; a refusal is thrown at once, with its type only', async () => {
  expect(await callWith([503, {}], [400, { __type: 'ThrottlingException' }], [200, {}])).toEqual({})
  expect(input).toHaveLength(3)
  await expect(callWith([500, {}], [500, {}], [500, { __type: 'InternalFailure' }], [200, {}])).rejects.toThrow(/^InternalFailure$/)
  expect(input).toHaveLength(3)
  await expect(callWith([400, { __type: 'com.amazonaws#AccessDeniedException', Message: 'User arn:aws:… may not' }])).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: 'AccessDeniedException',
  })
  expect(input).toHaveLength(1)
})

test('a service that does not answer delays a function by at most a second over all attempts', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const call = awsCalls({ ...access, endpoint: `http://127.0.0.1:${port}` }, 'sqs')('SendMessage', {})
  const outcome = Promise.race([call.catch((error: Error) => error.name), new Promise((resolve) => setTimeout(resolve, 2900, 'still waiting'))])
  expect(await outcome).toBe('TimeoutError')
  silent.closeAllConnections()
  silent.close()
})

test('an unreachable service fails after three attempts', async () => {
  await expect(awsCalls({ ...access, endpoint: 'http://127.0.0.1:1' }, 'sqs')('SendMessage', {})).rejects.toThrow('fetch failed')
})

test('credentials come from the environment, complete or not at all', () => {
  const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-central-1' }
  expect(awsAccessFrom(env)).toEqual({ credentials: { accessKeyId: 'id', secretAccessKey: 'secret' }, region: 'eu-central-1' })
  for (const missing of Object.keys(env)) expect(awsAccessFrom({ ...env, [missing]: '' }), missing).toBeUndefined()
})
