// Asks a system over HTTP, and says what it answered without what differs from run to run: ids, times, tokens, and names made of them.
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
  /** In the order in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly bytes: Buffer
}

export const BOX_HOST = 'auth.example.com'
const NETWORK = `127.${10 + (process.pid % 200)}`
let callers = 0
/** Everybody calls from an address of his own on the loopback interface, or the limits would be what is compared. */
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

/** How the message travels is the connection's, not ours (RFC 9110 section 7.6.1); when it was sent is a time. */
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date'])

/** Made of times: how long to wait, and what a thing looked like when it was changed last. */
const OF_THE_MOMENT = new Set(['retry-after', 'etag'])

/** A moment as people read it. */
const TOLD_TIME = /<time [^>]*>[^<]*<\/time>/g
/** What is left of a session when its cookie is set. */
const COOKIE_AGE = /Max-Age=\d{5}/g
/** Offered where texts can be sent: a machine of one's own captures them, a production without Twilio has none. */
const TEXTS = /<li><a href="\/me\/phone">[^<]*<\/a><\/li>/g
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/gi
const JWT = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g
const MOMENT = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/g
const HTTP_DATE = /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g
/** Seconds or milliseconds of these years. */
const UNIX_TIME = /(?<![\w.-])1[789]\d{8}(\d{3})?(?![\w.-])/g
const ADDRESS = new RegExp(`${NETWORK.replace('.', '\\.')}\\.\\d+\\.\\d+`, 'g')
const MEASURED = /("\w+_ms":)\d+/g
/** Pieces by which a person is searched for, of a name that is random. */
const PIECES = /("user_grams":)\d+/g
/** Long, of base64 or base64url, and no word: its letters and digits change too often; or nothing but hex, or base32. */
const TOKEN = /[A-Za-z0-9_+/-]{20,}={0,2}/g
const changes = (text: string): number => text.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z])/g)?.length ?? 0
const isRandom = (text: string): boolean => changes(text) * 8 > text.length || /^[0-9a-f]{24,}$/.test(text) || /^[A-Z2-7]{26,}$/.test(text)
/** A key of an authenticator app as people type it, a backup code, a user code, a picture of one. */
const TYPED = /([A-Z2-7]{4} ){7}[A-Z2-7]{4}|\b(\d\d-)?([0-9A-Z]{4}-){1,3}[0-9A-Z]{4}\b|<svg[\s\S]*?<\/svg>/g
/** Names that tests make of the end of an id. */
const NAMED_BY_ID = /-[0-9a-f]{8,12}(?![0-9a-f])/g

const claims = (part: string | undefined): string => plain(Buffer.from(part ?? '', 'base64url').toString('utf8'))

const plain = (text: string): string =>
  text
    .replace(JWT, (token) => {
      const [header, payload] = token.split('.')
      return `<jwt ${claims(header)} ${claims(payload)}>`
    })
    .replace(TEXTS, '')
    .replace(TOLD_TIME, '<moment>')
    .replace(COOKIE_AGE, 'Max-Age=<seconds>')
    .replace(UUID, '<id>')
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

/** Of metrics, which there are: what was counted differs with how often processes began. */
const named = (text: string): string => text.replace(/^[^#\n].*\n/gm, '')

const bodyOf = (answer: BoxAnswer): string => {
  const type = answerHeader(answer, 'content-type')
  if (!isText(type)) return answer.bytes.toString('base64')
  return type?.includes('version=0.0.4') ? named(textOf(answer)) : plain(textOf(answer))
}

/** Two systems that behave alike say the same here. */
export const comparableAnswer = (answer: BoxAnswer): ComparableAnswer => ({
  status: answer.status,
  headers: answer.headers
    .filter(([name]) => !OF_THE_CONNECTION.has(name))
    .map(([name, value]) => `${name}: ${OF_THE_MOMENT.has(name) ? '<moment>' : plain(value)}`)
    .toSorted(),
  body: bodyOf(answer),
})
