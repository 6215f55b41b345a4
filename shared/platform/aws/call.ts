// Calls AWS JSON services with the credentials in a function's environment. Two actions do not justify the SDK, which is larger than the function and
// would be loaded at every start.
import { AwsClient } from 'aws4fetch'

export type AwsCredentials = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
export type AwsAccess = { readonly credentials: AwsCredentials; readonly region: string; readonly endpoint?: string }

/** The access that Lambda provides; undefined on a machine where the SDK has to obtain credentials. */
export const awsAccessFrom = (env: Readonly<Record<string, string | undefined>>): AwsAccess | undefined => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token, AWS_REGION: region } = env
  if (!accessKeyId || !secretAccessKey || !region) return undefined
  const credentials = { accessKeyId, secretAccessKey, ...(token ? { sessionToken: token } : {}) }
  return { credentials, region, ...(env.AWS_ENDPOINT_URL ? { endpoint: env.AWS_ENDPOINT_URL } : {}) }
}

/**
 * A refusal, named by the last part of its type, such as `ResourceNotFoundException`. The service's message may contain data that must not be logged.
 */
export class AwsError extends Error {
  constructor(type: string) {
    super(type)
    this.name = type
  }
}

/**
 * Services with the time limit for a call including its retries: a start can wait, while a request must hand over its messages before its function
 * ends.
 */
const SERVICES = {
  secretsmanager: { target: 'secretsmanager', type: 'application/x-amz-json-1.1', withinMs: 5000 },
  sqs: { target: 'AmazonSQS', type: 'application/x-amz-json-1.0', withinMs: 1000 },
} as const

const TRIES = 3
/** Throttling or a server error, which a retry may fix. */
const isTransient = (status: number, type: string): boolean => status >= 500 || status === 429 || type === 'ThrottlingException'

type Answered = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }
type Call = (action: string, input: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>

/** @throws AwsRefused, or the error of `fetch` when the service cannot be reached; after up to three attempts for transient failures */
export const awsCalls = ({ credentials, region, endpoint }: AwsAccess, service: keyof typeof SERVICES): Call => {
  const { target, type, withinMs } = SERVICES[service]
  const url = new URL(endpoint ?? `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`)
  const client = new AwsClient({ ...credentials, region, service })
  const post = async (action: string, body: string, signal: AbortSignal): Promise<Answered> => {
    const headers = { 'content-type': type, 'x-amz-target': `${target}.${action}` }
    const signed = await client.sign(url, { method: 'POST', headers, body, redirect: 'error', aws: { allHeaders: true } })
    const response = await fetch(signed, { signal })
    return { status: response.status, body: ((await response.json()) ?? {}) as Answered['body'] }
  }
  return async (action, input) => {
    const signal = AbortSignal.timeout(withinMs)
    for (let tried = 1; ; tried++) {
      const answered = await post(action, JSON.stringify(input), signal).catch((error: unknown) => {
        if (tried === TRIES) throw error
      })
      if (answered?.status === 200) return answered.body
      const refusal = String(answered?.body.__type ?? 'UnknownError').replace(/^.*#/, '')
      if (answered !== undefined && (tried === TRIES || !isTransient(answered.status, refusal))) throw new AwsError(refusal)
    }
  }
}
