// AWS Signature Version 4 of a POST to the root of a service: what a function says to the two that it calls. HMAC and digests are Node's.
// @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
import { createHash, createHmac } from 'node:crypto'

export type AwsCredentials = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
type Posted = {
  readonly credentials: AwsCredentials
  readonly region: string
  readonly service: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly at: Date
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** `headers`, and those that sign them. All of them are signed, under lower-case names. */
export const signed = ({ credentials, region, service, host, headers, body, at }: Posted): Readonly<Record<string, string>> => {
  const moment = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const day = moment.slice(0, 8)
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const all = { ...headers, host, 'x-amz-date': moment, ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }) }
  const names = Object.keys(all).toSorted()
  const lines = Object.entries(all)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
  const request = ['POST', '/', '', lines.join(''), names.join(';'), digest(body)].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const key = [day, region, service, 'aws4_request'].reduce<string | Uint8Array>(hmac, `AWS4${secretAccessKey}`)
  const signature = hmac(key, ['AWS4-HMAC-SHA256', moment, scope, digest(request)].join('\n')).toString('hex')
  return { ...all, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` }
}
