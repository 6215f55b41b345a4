// The queue of errands at Amazon SQS. The SDK is loaded when the first errand is sent: most requests leave none.
import { commonJs } from '../common-js.ts'
import type { ErrandQueue } from './errands.ts'

export type Sqs = {
  readonly queueUrl: string
  /** Another endpoint than the region's, for tests. */
  readonly endpoint?: string
}

const LONGEST_DELAY_SECONDS = 900
const TIMEOUT_MS = 2000

export const sqsErrands = ({ queueUrl, endpoint }: Sqs): ErrandQueue => {
  const load = async () => {
    const sdk = await commonJs(import('@aws-sdk/client-sqs'))
    return { sdk, client: new sdk.SQSClient({ maxAttempts: 2, ...(endpoint === undefined ? {} : { endpoint }) }) }
  }
  let loaded: ReturnType<typeof load> | undefined
  return {
    send: async (errand, afterSeconds) => {
      loaded ??= load()
      const { sdk, client } = await loaded
      const DelaySeconds = Math.min(Math.max(Math.ceil(afterSeconds), 0), LONGEST_DELAY_SECONDS)
      const message = new sdk.SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify({ errand }), DelaySeconds })
      await client.send(message, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) })
    },
  }
}
