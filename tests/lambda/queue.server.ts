// The task queue as the service runs it: messages that the outbox function reports as failed return, and go to the dead-letter queue after five tries; the others of the batch are deleted.
import { randomUUID } from 'node:crypto'
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { localMail } from '#shared/platform/outbox/mail/local'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { sqsTasks } from '#shared/platform/queue/sqs'
import { runTasks } from '../../functions/outbox/tasks.ts'
import { startApp } from '../support/app.ts'
import { startAws } from '../support/aws.ts'
import { ownDb } from '../support/database.ts'

const { endpoint, stop } = await startAws()
afterAll(stop)
const sqs = new SQSClient({ endpoint })
const TRIES = 5

const create = async (name: string, attributes: Readonly<Record<string, string>> = {}) => {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `${name}-${randomUUID()}`, Attributes: { ...attributes } }))
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
  return { url: QueueUrl ?? '', arn: Attributes?.QueueArn ?? '' }
}
const waiting = async (url: string): Promise<number> => {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages'] }))
  return Number(Attributes?.ApproximateNumberOfMessages)
}

/** The event source mapping: delivers a batch, deletes the processed messages, and makes the others visible again immediately. Returns the size of the batch. */
const poll = async (url: string, handle: (event: unknown) => ReturnType<typeof runTasks>): Promise<number> => {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }))
  if (Messages.length === 0) return 0
  const event = { Records: Messages.map(({ MessageId, Body }) => ({ messageId: MessageId ?? '', body: Body ?? '', eventSource: 'aws:sqs' })) }
  const failed = new Set((await handle(event)).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  for (const { MessageId = '', ReceiptHandle } of Messages) {
    if (failed.has(MessageId)) await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 }))
    else await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }))
  }
  return Messages.length
}

test('a poisoned message goes to the dead-letter queue after five tries and blocks no other meanwhile', async () => {
  const dead = await create('dead')
  const queue = await create('tasks', { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: TRIES }) })
  const app = await startApp([], { db: await ownDb() })
  const company = await app.company('tasks')
  const captured = localMail(app.clock)
  const tasks = sqsTasks({ queueUrl: queue.url, endpoint })
  const ctx = { ...app.ctx, mail: captured, outbound: guardedFetch({ resolver: { resolve: async () => [] }, loopback: false }), queue: undefined }
  const leaveMail = () =>
    atomically(forTenant(app.db, company.tenantId), (t) =>
      enqueueMail(t, ctx, {
        template: 'password_changed',
        to: company.admin.email,
        subjectId: company.admin.id,
        tenantName: company.name,
        data: { requestOrigin: { at: app.clock.now(), device: 'Firefox', address: '192.0.2.1' } },
      }),
    )
  await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: '{"errand":"burn"}' }))
  for (let round = 1; round <= TRIES; round++) {
    await leaveMail()
    await tasks.send('outbox', 0)
    while (captured.outbox.length < round) expect(await poll(queue.url, (event) => runTasks(ctx, event))).toBeGreaterThan(0)
  }
  for (let more = 0; more < TRIES && (await waiting(dead.url)) === 0; more++) await poll(queue.url, (event) => runTasks(ctx, event))
  expect(captured.outbox).toHaveLength(TRIES)
  expect([await waiting(queue.url), await waiting(dead.url)]).toEqual([0, 1])
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead.url }))
  expect(Messages?.map(({ Body }) => Body)).toEqual(['{"errand":"burn"}'])
})
