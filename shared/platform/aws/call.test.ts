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
const ask = async (...given: typeof answers) => {
  answers.splice(0, answers.length, ...given)
  input.length = 0
  return awsCalls(access, 'sqs')('SendMessage', { QueueUrl: 'q' })
}

test('a call says its action and its role, signed', async () => {
  expect(await ask([200, { MessageId: 'm' }])).toEqual({ MessageId: 'm' })
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

test('what passes is tried again, twice; a refusal is told at once, by its name alone', async () => {
  expect(await ask([503, {}], [400, { __type: 'ThrottlingException' }], [200, {}])).toEqual({})
  expect(input).toHaveLength(3)
  await expect(ask([500, {}], [500, {}], [500, { __type: 'InternalFailure' }], [200, {}])).rejects.toThrow(/^InternalFailure$/)
  expect(input).toHaveLength(3)
  await expect(ask([400, { __type: 'com.amazonaws#AccessDeniedException', Message: 'User arn:aws:… may not' }])).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: 'AccessDeniedException',
  })
  expect(input).toHaveLength(1)
})

test('a service that does not answer holds up a function for a second, whatever it is tried', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const call = awsCalls({ ...access, endpoint: `http://127.0.0.1:${port}` }, 'sqs')('SendMessage', {})
  const order = Promise.race([call.catch((error: Error) => error.name), new Promise((resolve) => setTimeout(resolve, 2900, 'still waiting'))])
  expect(await order).toBe('TimeoutError')
  silent.closeAllConnections()
  silent.close()
})

test('a service that is not there is told as what it is, after three tries', async () => {
  await expect(awsCalls({ ...access, endpoint: 'http://127.0.0.1:1' }, 'sqs')('SendMessage', {})).rejects.toThrow('fetch failed')
})

test('credentials are those that the platform put into the environment, all of them or none', () => {
  const env = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-central-1' }
  expect(awsAccessFrom(env)).toEqual({ credentials: { accessKeyId: 'id', secretAccessKey: 'secret' }, region: 'eu-central-1' })
  for (const missing of Object.keys(env)) expect(awsAccessFrom({ ...env, [missing]: '' }), missing).toBeUndefined()
})
