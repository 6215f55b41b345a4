// Signs requests to AWS's token service with AWS's own library.
import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'

type Source = string | ArrayBuffer | ArrayBufferView
const bytesOf = (data: Source): string | Uint8Array =>
  typeof data === 'string' ? data : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)

class Sha256 {
  readonly #hash
  constructor(secret?: Source) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
  update(data: Source): void {
    this.#hash.update(bytesOf(data))
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest())
  }
}

export const STS_BODY = 'Action=GetCallerIdentity&Version=2011-06-15'
export type AwsCredentials = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string }
export type SignedHeaders = Readonly<Record<string, string>>
type Signing = {
  readonly region: string
  readonly service?: string
  readonly credentials: AwsCredentials
  readonly headers: SignedHeaders
  readonly at: Date
  readonly path?: string
}

/** All headers of a signed GetCallerIdentity request. */
export const signSts = async ({ region, service = 'sts', credentials, headers, at, path = '/' }: Signing): Promise<SignedHeaders> => {
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false })
  const request = { method: 'POST', protocol: 'https:', hostname: headers.host ?? '', path, headers: { ...headers }, body: STS_BODY }
  return (await signer.sign(request, { signingDate: at })).headers
}
