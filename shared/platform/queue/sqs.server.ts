// The task queue against an emulator of AWS.
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, expect, test } from 'vitest'
import { awsAccessFrom } from '#shared/platform/aws/call'
import { AWS_ENVIRONMENT, startAws } from '#tests/support/aws'
import { sqsTasks } from './sqs.ts'
import { TaskMessage } from './tasks.ts'

const { endpoint, stop } = await startAws()
const client = new SQSClient({ endpoint })
afterAll(async () => {
  client.destroy()
  await stop()
})

const ways = [
  ['the SDK', {}],
  ['a function', { access: awsAccessFrom({ ...AWS_ENVIRONMENT, AWS_ENDPOINT_URL: endpoint }) }],
] as const

test.each(ways)('by %s: a task arrives unchanged, after its delay', async (name, way) => {
  const { QueueUrl: queueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: `tasks-${name.replace(' ', '-')}` }))
  const queue = sqsTasks({ queueUrl, endpoint, ...way })
  await queue.send('outbox', 0)
  await queue.send('webhooks', 5000)
  const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }))
  expect(Messages.map(({ Body = '' }) => TaskMessage.parse(JSON.parse(Body)))).toEqual([{ errand: 'outbox' }])
})

test.each(ways)('by %s: an absent queue is an error', async (_, way) => {
  await expect(sqsTasks({ queueUrl: `${endpoint}/123456789012/none`, endpoint, ...way }).send('outbox', 0)).rejects.toThrow()
})
