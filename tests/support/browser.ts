// A browser without scripts for tests of hosted pages: it keeps cookies, reads forms, submits them with their hidden fields, and follows redirects.
import { type Company, cookieJar, type Person, type TestApp } from './app.ts'

export const HOST = 'localhost:7468'
const ORIGIN = `http://${HOST}`

export type PageSeen = { readonly status: number; readonly url: string; readonly html: string; readonly headers: Headers }

const plain = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  return found === undefined ? undefined : plain(found)
}

/** The first heading. */
export const titleOf = ({ html }: PageSeen): string => plain(/<h1[^>]*>([^<]*)/.exec(html)?.[1] ?? '')
/** The message above the form about the last submission. */
export const summaryOf = ({ html }: PageSeen): string | undefined => {
  const text = /data-summary-text=""?>([^<]*)|data-summary-text="true">([^<]*)|data-summary-text>([^<]*)/
    .exec(html)
    ?.slice(1)
    .find((part) => part)
  return text === undefined ? undefined : plain(text)
}
export const noteOf = ({ html }: PageSeen): string | undefined => {
  const text = /<p class="note"[^>]*>([^<]*)/.exec(html)?.[1]
  return text === undefined ? undefined : plain(text)
}

type Form = { readonly action: string; readonly fields: Readonly<Record<string, string>> }
export const formsOf = ({ html }: PageSeen): readonly Form[] =>
  [...html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)]
    // What a script would show stays hidden here.
    .filter(([, head = '']) => attribute(head, 'hidden') === undefined)
    .map(([, head = '', inner = '']) => ({
      action: attribute(head, 'action') ?? '',
      fields: Object.fromEntries(
        [...inner.matchAll(/<input[^>]*>/g)].flatMap(([tag]) => {
          const name = attribute(tag, 'name')
          return name === undefined ? [] : [[name, attribute(tag, 'value') ?? '']]
        }),
      ),
    }))

type Sending = {
  /** Path of the form to submit, if it is not the page's first. */
  readonly action?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string
}

export const openBrowser = (app: TestApp, own: Readonly<Record<string, string>> = {}) => {
  const jar = cookieJar()
  const last: { page: PageSeen } = { page: { status: 0, url: '/', html: '', headers: new Headers() } }

  const call = async (
    path: string,
    init: { readonly method: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> },
  ) => {
    const response = await app.app.request(
      `${ORIGIN}${path}`,
      { ...init, headers: { host: HOST, ...own, ...jar.header(), ...init.headers } },
      { peer: { address: '192.0.2.1', secure: false } },
    )
    jar.take(response)
    return response
  }

  const read = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<PageSeen> => {
    let url = path
    let response = await call(url, { method: 'GET', headers })
    for (let hops = 0; hops < 5 && response.status >= 300 && response.status < 400; hops++) {
      url = response.headers.get('location') ?? ''
      response = await call(url, { method: 'GET', headers })
    }
    last.page = { status: response.status, url, html: await response.text(), headers: response.headers }
    return last.page
  }

  /** The response to a link, without following redirects. */
  const follow = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> => call(path, { method: 'GET', headers })

  /** The response to a form, without following redirects. */
  const post = (path: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    call(path, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: ORIGIN,
        'sec-fetch-site': 'same-origin',
        'sec-fetch-user': '?1',
        ...headers,
      },
    })

  /** Fills in and submits a form of the current page. */
  const send = async (fields: Readonly<Record<string, string>>, { action, headers }: Sending = {}): Promise<PageSeen> => {
    const form = formsOf(last.page).find((one) => action === undefined || one.action.split('?')[0] === action)
    if (form === undefined) throw new Error(`${last.page.url} has no form ${action ?? ''}`)
    const response = await post(form.action, { ...form.fields, ...fields }, headers)
    if (response.status === 303) return read(response.headers.get('location') ?? '')
    last.page = { status: response.status, url: form.action, html: await response.text(), headers: response.headers }
    return last.page
  }

  /** Signs in through the pages, as a person does. */
  const signIn = async (person: Pick<Person, 'email' | 'password'>, start = '/signin'): Promise<PageSeen> => {
    await read(start)
    await send({ email: person.email })
    return send({ password: person.password })
  }

  return { jar, read, follow, post, send, signIn, page: () => last.page }
}
export type TestBrowser = ReturnType<typeof openBrowser>

/** The sign-in address of a company's people. */
export const signInQueryOf = (company: Company): string => `/signin?client_id=${company.clientId}`
