// The page of a mailed link to choose a password. It contains no personal data: its script loads the account with the secret in the fragment.
import { randomToken } from '#shared/kernel/random'
import { HttpResult } from '#shared/platform/http/route'
import { FORM_CSS, KnownField, PasswordField, Submit, Summary } from '#shared/platform/pages/form.tsx'
import { LANGUAGES, preferredLanguage } from '#shared/platform/pages/language'
import { pagePolicy, renderPage } from '#shared/platform/pages/layout.tsx'
import type { PageStrings } from '#shared/platform/pages/page-strings'
import type { Ctx } from './group.ts'
import { SCRIPT } from './set-password.client.generated.ts'

const Form = ({ words }: { readonly words: PageStrings }) => {
  const { form, setPassword } = words
  return (
    <section data-state="form" hidden>
      <h1 tabindex={-1}>{setPassword.title}</h1>
      <form novalidate data-messages={JSON.stringify(form.messages)}>
        <Summary heading={form.messages.heading} />
        <KnownField id="account" label={setPassword.account} autocomplete="username" />
        <PasswordField
          id="new-password"
          label={setPassword.password}
          hint={setPassword.rule}
          autocomplete="new-password"
          show={form.showPassword}
          hide={form.hidePassword}
          first
        />
        <Submit label={setPassword.submit} busy={setPassword.busy} />
      </form>
    </section>
  )
}

const Notice = ({
  state,
  title,
  text,
  signIn,
}: {
  readonly state: string
  readonly title: string
  readonly text: string
  readonly signIn?: Link
}) => (
  <section data-state={state} hidden>
    <h1 tabindex={-1}>{title}</h1>
    <p class="quiet">{text}</p>
    {signIn === undefined ? '' : <SignIn {...signIn} />}
  </section>
)

type Link = { readonly href: string; readonly label: string }
const SignIn = ({ href, label }: Link) => (
  <a class="alone" href={href}>
    {label}
  </a>
)

const Trouble = ({ words }: { readonly words: PageStrings }) => (
  <section data-state="trouble" hidden>
    <h1 tabindex={-1}>{words.setPassword.troubleTitle}</h1>
    <p class="quiet" data-trouble />
    <button type="button" class="primary" data-again>
      {words.form.tryAgain}
    </button>
  </section>
)

/** Renders the page in the language of the `Accept-Language` header. */
export const setPasswordPage = (ctx: Ctx): HttpResult<string> => {
  const nonce = randomToken(ctx.random)
  const lang = preferredLanguage(ctx.request.header('accept-language'))
  const words: PageStrings = LANGUAGES[lang]
  const { setPassword, noScript, form } = words
  const ui = ctx.config.PUBLIC_UI_ORIGIN
  const signIn = ui === undefined ? {} : { signIn: { href: ui, label: form.signIn } }
  const html = renderPage({
    lang,
    nonce,
    title: setPassword.title,
    css: FORM_CSS,
    script: SCRIPT,
    children: (
      <div class="card">
        <p class="who">{new URL(ctx.config.BASE_URL).host}</p>
        <noscript>
          <h1>{noScript.title}</h1>
          <p class="quiet">{noScript.text}</p>
        </noscript>
        <section data-state="wait" hidden>
          <h1 tabindex={-1}>{setPassword.title}</h1>
          <p class="quiet" role="status">
            {setPassword.wait}
          </p>
        </section>
        <Form words={words} />
        <Notice state="done" title={setPassword.doneTitle} text={setPassword.done} {...signIn} />
        <Notice state="expired" title={setPassword.expiredTitle} text={setPassword.expired} {...signIn} />
        <Notice state="missing" title={setPassword.missingTitle} text={setPassword.missing} />
        <Trouble words={words} />
      </div>
    ),
  })
  const headers = {
    'Content-Security-Policy': pagePolicy(nonce, { script: true }),
    'Referrer-Policy': 'no-referrer',
    'Content-Language': lang,
    Vary: 'Accept-Language',
  }
  return new HttpResult(html, { headers })
}
