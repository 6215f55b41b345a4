// The catalogue of errors, which the `type` of problem details (RFC 9457) leads to. The same content as docs/errors.md.
import { createHash } from 'node:crypto'
import { AppError, ERRORS, type ErrorCode } from '#shared/kernel/errors'
import { adviceFor, CATALOGUE } from '#shared/platform/http/error-catalogue'
import { errorTypePath } from '#shared/platform/http/problem'
import { HttpResult } from '#shared/platform/http/route'
import { pagePolicy, renderPage, styleOf } from '#shared/platform/pages/layout.tsx'

const CSS = `
dl { margin: 0 }
dt { margin-top: 12px; color: var(--quiet); font-size: 14px }
dd { margin: 0; overflow-wrap: anywhere }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.9em }
.wide .card h2 { margin-top: 24px }
.list { list-style: none; margin: 0; padding: 0 }
.list li { padding: 8px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere }
`
/** The style sheet never changes, so the policy names it by its digest, and the page can be cached. */
const POLICY = pagePolicy('').replace(`'nonce-'`, `'sha256-${createHash('sha256').update(styleOf(CSS)).digest('base64')}'`)

const page = (title: string, children: unknown): HttpResult<string> =>
  new HttpResult(renderPage({ lang: 'en', title, nonce: '', css: CSS, wide: true, children: <div class="card">{children as never}</div> }), {
    headers: { 'Content-Security-Policy': POLICY, 'Content-Language': 'en' },
  })

export const cataloguePage = (): HttpResult<string> =>
  page(
    'Errors',
    <>
      <h1>Errors</h1>
      <p class="quiet">Codes are part of the API and stay; the texts may change.</p>
      {CATALOGUE.map(({ status, meaning, codes }) => (
        <section>
          <h2>
            {status} {meaning}
          </h2>
          <ul class="list">
            {codes.map((code) => (
              <li>
                <a href={errorTypePath(code)}>
                  <code>{code}</code>
                </a>{' '}
                {ERRORS[code].title}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>,
  )

const isCode = (text: string): text is ErrorCode => Object.hasOwn(ERRORS, text)

/** @throws AppError not_found */
export const errorPage = (code: string): HttpResult<string> => {
  if (!isCode(code)) throw new AppError('not_found')
  const { status, title } = ERRORS[code]
  const { meaning, advice, oauth } = adviceFor(code)
  return page(
    code,
    <>
      <h1>
        <code>{code}</code>
      </h1>
      <p>{title}</p>
      <dl>
        <dt>Status</dt>
        <dd>
          {status} {meaning}
        </dd>
        {oauth === undefined ? (
          ''
        ) : (
          <>
            <dt>Name at the endpoints of the authorization server</dt>
            <dd>
              <code>{oauth}</code>
            </dd>
          </>
        )}
        <dt>What to do</dt>
        <dd>{advice}</dd>
      </dl>
      <p>
        <a class="alone" href="/errors">
          All errors
        </a>
      </p>
    </>,
  )
}
