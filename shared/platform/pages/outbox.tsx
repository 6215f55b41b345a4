// The messages that local mode captured instead of sending.

import type { CapturedMail } from '#shared/platform/outbox/mail/local'
import type { CapturedPush } from '#shared/platform/outbox/push/local'
import type { CapturedSms } from '#shared/platform/outbox/sms/local'
import { pagePolicy, renderPage } from './layout.tsx'

/** The page needs no script. */
export const outboxPolicy = (nonce: string): string => pagePolicy(nonce)

/** Policy for a captured mail in its HTML form: an opaque origin, no script, no request. Mails use style attributes. */
export const CAPTURED_MAIL_POLICY = "sandbox; default-src 'none'; img-src data:; style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const CSS = `
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 16px }
article { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 16px }
dl { margin: 8px 0 0; display: grid; grid-template-columns: max-content 1fr; gap: 0 12px; color: var(--quiet); font-size: 14px }
dt, dd { margin: 0; overflow-wrap: anywhere }
pre { margin: 12px 0 0; padding: 12px; background: var(--ground); border-radius: var(--radius); font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
@media (max-width: 480px) { article { padding: 12px } }
`

type OutboxPage = {
  readonly messages: readonly CapturedMail[]
  readonly pushes?: readonly CapturedPush[]
  /** Text messages. */
  readonly texts?: readonly CapturedSms[]
  readonly nonce: string
  /** URL of a message's HTML form, served with CAPTURED_MAIL_POLICY; without it the page has only the text. */
  readonly htmlHref?: (message: CapturedMail) => string
}

const Message = ({ message, href }: { readonly message: CapturedMail; readonly href: string | undefined }) => (
  <li>
    <article>
      <h2>{message.subject}</h2>
      <dl>
        <dt>To</dt>
        <dd>{message.to}</dd>
        <dt>From</dt>
        <dd>{message.fromName}</dd>
        <dt>Time</dt>
        <dd>
          <time datetime={message.at.toISOString()}>{message.at.toISOString().replace('T', ' ').replace(/\..*$/, ' UTC')}</time>
        </dd>
      </dl>
      <pre>{message.text}</pre>
      {href === undefined ? (
        ''
      ) : (
        <a class="alone" href={href}>
          Show as HTML
        </a>
      )}
    </article>
  </li>
)

const PushMessage = ({ push }: { readonly push: CapturedPush }) => (
  <li>
    <article>
      <h2>{push.title}</h2>
      <dl>
        <dt>Push to</dt>
        <dd>{push.platform}</dd>
        <dt>Time</dt>
        <dd>
          <time datetime={push.at.toISOString()}>{push.at.toISOString().replace('T', ' ').replace(/\..*$/, ' UTC')}</time>
        </dd>
      </dl>
      <pre>{`${push.body}\n\n${JSON.stringify(push.data, undefined, 2)}`}</pre>
    </article>
  </li>
)

const Pushes = ({ pushes }: { readonly pushes: readonly CapturedPush[] }) => (
  <>
    <h2>Captured pushes</h2>
    <ol>
      {pushes.toReversed().map((push) => (
        <PushMessage push={push} />
      ))}
    </ol>
  </>
)

/** The page of captured mails, text messages and pushes, newest first. */
export const renderOutbox = ({ messages, texts = [], pushes = [], nonce, htmlHref }: OutboxPage): string =>
  renderPage({
    lang: 'en',
    title: 'Captured mail',
    nonce,
    css: CSS,
    wide: true,
    children: (
      <>
        <h1>Captured mail</h1>
        <p class="quiet">
          {messages.length === 0 ? 'Nothing yet. Mails appear here instead of being sent.' : 'These mails stay on this machine. Newest first.'}
        </p>
        <ol>
          {messages.toReversed().map((message) => (
            <Message message={message} href={htmlHref?.(message)} />
          ))}
        </ol>
        {texts.length === 0 ? '' : <h1>Captured text messages</h1>}
        <ol>
          {texts.toReversed().map(({ to, text, at }) => (
            <li>
              <article>
                <h2>{to}</h2>
                <time datetime={at.toISOString()}>{at.toISOString().replace('T', ' ').replace(/\..*$/, ' UTC')}</time>
                <pre>{text}</pre>
              </article>
            </li>
          ))}
        </ol>
        {pushes.length === 0 ? '' : <Pushes pushes={pushes} />}
      </>
    ),
  })
