// The task queue at Amazon SQS. A function calls the service directly; elsewhere the SDK is loaded with the first task, which finds credentials.

import { importCommonJs } from '#shared/kernel/common-js'
import { type AwsAccess, awsCalls } from '#shared/platform/aws/call'
import type { Task, TaskQueue } from './tasks.ts'

export type Sqs = {
  readonly queueUrl: string
  /** The access of a function, from its environment. */
  readonly access?: AwsAccess | undefined
  /** Endpoint that replaces the region's, for tests. */
  readonly endpoint?: string
}

const LONGEST_DELAY_SECONDS = 900
const TIMEOUT_MS = 2000

const messageOf = (queueUrl: string, task: Task, afterSeconds: number) => ({
  QueueUrl: queueUrl,
  MessageBody: JSON.stringify({ errand: task }),
  DelaySeconds: Math.min(Math.max(Math.ceil(afterSeconds), 0), LONGEST_DELAY_SECONDS),
})

const bySdk = ({ queueUrl, endpoint }: Sqs): TaskQueue => {
  const load = async () => {
    const sdk = await importCommonJs(import('@aws-sdk/client-sqs'))
    return { sdk, client: new sdk.SQSClient({ maxAttempts: 2, ...(endpoint === undefined ? {} : { endpoint }) }) }
  }
  let loaded: ReturnType<typeof load> | undefined
  return {
    send: async (task, afterSeconds) => {
      loaded ??= load()
      const { sdk, client } = await loaded
      await client.send(new sdk.SendMessageCommand(messageOf(queueUrl, task, afterSeconds)), { abortSignal: AbortSignal.timeout(TIMEOUT_MS) })
    },
  }
}

export const sqsTasks = (sqs: Sqs): TaskQueue => {
  if (sqs.access === undefined) return bySdk(sqs)
  const call = awsCalls(sqs.access, 'sqs')
  return { send: async (task, afterSeconds) => void (await call('SendMessage', messageOf(sqs.queueUrl, task, afterSeconds))) }
}
