// Prints each step and stops at the first one that fails.
import { setTimeout as wait } from 'node:timers/promises'

type Json = Readonly<Record<string, unknown>>
export type Answer = { readonly status: number; readonly body: Json; readonly path: string }

let count = 0
export const say = (text: string): void => void process.stdout.write(`     ${text}\n`)

export const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
  process.stdout.write(`${String(++count).padStart(3)}. ${title}\n`)
  return work()
}

/** The response body, if the status is the expected one. */
export const check = (answer: Answer, status: number): Json => {
  if (answer.status !== status) throw new Error(`${answer.path} answered ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

const CODE = /^\s*(\d{6})\s*$/m
const MAIL_TRIES = 50

/** Keeps cookies, as a browser does. */
export class Browser {
  readonly base: string
  private readonly cookies = new Map<string, string>()
  constructor(base: string) {
    this.base = base
  }

  private async call(method: string, path: string, body: unknown, token?: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(`${this.base}${path}`, {
      method,
      headers: {
        ...more,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(this.cookies.size === 0 ? {} : { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Json) : { text }, path: `${method} ${path}` }
  }

  get(path: string, token?: string): Promise<Answer> {
    return this.call('GET', path, undefined, token)
  }

  post(path: string, body: unknown, token?: string): Promise<Answer> {
    return this.call('POST', path, body, token)
  }

  /** `If-Match: *` is enough, because the demo is the only writer. */
  patch(path: string, body: unknown, token?: string): Promise<Answer> {
    return this.call('PATCH', path, body, token, { 'if-match': '*' })
  }

  /** The six-digit code in the newest captured mail to an address. */
  async code(address: string): Promise<string> {
    for (let attempt = 0; attempt < MAIL_TRIES; attempt++) {
      const { body } = await this.get('/local/outbox')
      const messages = body.messages as readonly { readonly recipient: string; readonly text: string }[]
      const code = CODE.exec(messages.find(({ recipient }) => recipient === address)?.text ?? '')?.[1]
      if (code !== undefined) return code
      await wait(100)
    }
    throw new Error(`no mail with a code arrived at ${address}`)
  }
}
