// Calls a system over HTTP and normalises the response: ids, times, tokens and names derived from them are replaced.
import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'

export type BoxRequest = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}
export type BoxAnswer = {
  readonly status: number
  /** In the order of their arrival. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly bytes: Buffer
}

export const BOX_HOST = 'auth.example.com'
const NETWORK = `127.${10 + (process.pid % 200)}`
let callers = 0
/** Each caller has its own address on the loopback interface; otherwise the rate limits would be compared. */
const newAddress = (): string => {
  callers += 1
  return `${NETWORK}.${Math.floor(callers / 250) % 250}.${1 + (callers % 250)}`
}

export const sendRequest = (port: number, { method = 'GET', path, headers = {}, body }: BoxRequest): Promise<BoxAnswer> =>
  new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        localAddress: newAddress(),
        agent: false,
        headers: {
          host: BOX_HOST,
          'x-forwarded-proto': 'https',
          'accept-encoding': 'gzip',
          ...(bytes === undefined ? {} : { 'content-length': bytes.length }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const raw = response.rawHeaders
          const pairs = raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ''] as const] : []))
          const body = Buffer.concat(chunks)
          const bytes = response.headers['content-encoding'] === 'gzip' && body.length > 0 ? gunzipSync(body) : body
          resolve({ status: response.statusCode ?? 0, headers: pairs, bytes })
        })
      },
    )
    sent.on('error', reject)
    sent.end(bytes)
  })

export const textOf = ({ bytes }: BoxAnswer): string => bytes.toString('utf8')
export const jsonOf = (answer: BoxAnswer): Readonly<Record<string, unknown>> => JSON.parse(textOf(answer)) as Readonly<Record<string, unknown>>
export const answerHeader = ({ headers }: BoxAnswer, name: string): string | undefined => headers.find(([each]) => each === name)?.[1]
export const cookiesOf = ({ headers }: BoxAnswer): readonly string[] => headers.flatMap(([name, value]) => (name === 'set-cookie' ? [value] : []))

/** Hop-by-hop headers belong to the connection (RFC 9110 section 7.6.1), and the date is a time. */
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date'])

/** Derived from times: waiting times, and the state at the last change. */
const OF_THE_MOMENT = new Set(['retry-after', 'etag'])

/** A date and time as displayed to people. */
const DISPLAYED_TIME = /<time [^>]*>[^<]*<\/time>/g
/** The remaining lifetime of a session cookie. */
const COOKIE_AGE = /Max-Age=\d{5}/g
/** Error pages explain themselves in development only. */
const FOR_DEVELOPERS = /<section class="developer">.*?<\/section>/gs
/** The logo of a company without one; the names of test companies end with an id. */
const INITIALS = /(<span class="initials" aria-hidden="true">)[^<]*/g
/** Offered where text messages can be sent: a local system captures them, production without Twilio cannot send any. */
const TEXTS = /<li><a href="\/me\/phone">[^<]*<\/a><\/li>/g
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/gi
const JWT = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g
const MOMENT = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/g
const HTTP_DATE = /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g
/** Seconds or milliseconds of the current years. */
const UNIX_TIME = /(?<![\w.-])1[789]\d{8}(\d{3})?(?![\w.-])/g
const ADDRESS = new RegExp(`${NETWORK.replace('.', '\\.')}\\.\\d+\\.\\d+`, 'g')
const MEASURED = /("\w+_ms":)\d+/g
/** Search fragments of a random name. */
const PIECES = /("user_grams":)\d+/g
/** A challenge for proofs of possession begins with its time in base 36. */
const CHALLENGE = /("challenge":")[0-9a-z]+\./g
/** Signed anew by each system: a certificate in text, and a list of revoked certificates in bytes. */
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
const REVOKED_CERTIFICATES = 'application/pkix-crl'
/** Long texts of base64 or base64url that are not words, whose letters and digits alternate often; or texts of only hex or base32. */
const TOKEN = /[A-Za-z0-9_+/-]{20,}={0,2}/g
const changes = (text: string): number => text.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])/g)?.length ?? 0
const isRandom = (text: string): boolean => changes(text) * 8 > text.length || /^[0-9a-f]{24,}$/.test(text) || /^[A-Z2-7]{26,}$/.test(text)
/** Displayed keys of authenticator apps, backup codes, user codes, and QR codes of them. */
const TYPED = /([A-Z2-7]{4} ){7}[A-Z2-7]{4}|\b(\d\d-)?([0-9A-Z]{4}-){1,3}[0-9A-Z]{4}\b|<svg[\s\S]*?<\/svg>/g
/** Names that tests derive from the end of an id. */
const NAMED_BY_ID = /-[0-9a-f]{8,12}(?![0-9a-f])/g

const claims = (part: string | undefined): string => plain(Buffer.from(part ?? '', 'base64url').toString('utf8'))

const plain = (text: string): string =>
  text
    .replace(JWT, (token) => {
      const [header, payload] = token.split('.')
      return `<jwt ${claims(header)} ${claims(payload)}>`
    })
    .replace(FOR_DEVELOPERS, '')
    .replace(INITIALS, '$1')
    .replace(TEXTS, '')
    .replace(DISPLAYED_TIME, '<moment>')
    .replace(COOKIE_AGE, 'Max-Age=<seconds>')
    .replace(UUID, '<id>')
    .replace(CERTIFICATE, '<certificate>')
    .replace(CHALLENGE, '$1<time>.')
    .replace(TYPED, '<typed>')
    .replace(NAMED_BY_ID, '-<id>')
    .replace(MOMENT, '<moment>')
    .replace(ADDRESS, '<address>')
    .replace(MEASURED, '$1<time>')
    .replace(PIECES, '$1<count>')
    .replace(HTTP_DATE, '<moment>')
    .replace(UNIX_TIME, '<time>')
    .replace(TOKEN, (run) => (isRandom(run) ? '<token>' : run))

export type ComparableAnswer = { readonly status: number; readonly headers: readonly string[]; readonly body: string }

const isText = (type: string | undefined): boolean => type === undefined || /^(text|application)\//.test(type)

/** For metrics, the names: the counts depend on how often processes started. */
const named = (text: string): string => text.replace(/^[^#\n].*\n/gm, '')

const bodyOf = (answer: BoxAnswer): string => {
  const type = answerHeader(answer, 'content-type')
  if (type === REVOKED_CERTIFICATES) return '<revoked certificates>'
  if (!isText(type)) return answer.bytes.toString('base64')
  return type?.includes('version=0.0.4') ? named(textOf(answer)) : plain(textOf(answer))
}

/** Two systems with the same behaviour give the same result here. */
export const comparableAnswer = (answer: BoxAnswer): ComparableAnswer => ({
  status: answer.status,
  headers: answer.headers
    .filter(([name]) => !OF_THE_CONNECTION.has(name))
    .map(([name, value]) => `${name}: ${OF_THE_MOMENT.has(name) ? '<moment>' : plain(value)}`)
    .toSorted(),
  body: bodyOf(answer),
})
