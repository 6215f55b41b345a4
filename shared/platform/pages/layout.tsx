// The shell of every page: the document, the design tokens, and one style sheet and one script, both with a nonce.

import { raw } from 'hono/html'
import type { Child } from 'hono/jsx'
import { DESIGN_TOKENS } from './design-tokens.ts'
import { ICON } from './icon.ts'

type Abilities = { readonly script?: boolean; readonly forms?: boolean; readonly worker?: boolean }

/** A page's content security policy: its style sheet and script by nonce, requests and forms to this origin where it has them, and nothing else. */
export const pagePolicy = (nonce: string, { script = false, forms = false, worker = false }: Abilities = {}): string =>
  [
    `default-src 'none'`,
    `style-src 'nonce-${nonce}'`,
    ...(script ? [`script-src 'nonce-${nonce}'`, `connect-src 'self'`, `require-trusted-types-for 'script'`] : []),
    ...(worker ? [`worker-src 'self'`] : []),
    `img-src data:`,
    `base-uri 'none'`,
    `form-action ${forms ? `'self'` : `'none'`}`,
    `frame-ancestors 'none'`,
  ].join('; ')

const BASE = `
* { box-sizing: border-box }
[hidden] { display: none !important }
body { margin: 0; padding: 48px 16px; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; -webkit-text-size-adjust: 100% }
main { margin: 0 auto; max-width: 400px }
.wide main { max-width: 720px }
.card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 24px; box-shadow: 0 1px 3px rgb(0 0 0 / 6%) }
.who { margin: 0 0 16px; color: var(--quiet); font-weight: 600; overflow-wrap: anywhere }
h1 { margin: 0 0 8px; font-size: 20px; line-height: 1.3 }
h2 { margin: 0; font-size: 16px; overflow-wrap: anywhere }
h1 + form { margin-top: 16px }
h1:focus { outline: none }
p { margin: 0 0 16px }
.quiet { color: var(--quiet) }
a { color: var(--brand) }
.links { list-style: none; margin: 0; padding: 0 }
.links a, a.alone { display: inline-flex; align-items: center; min-height: 44px }
a:focus-visible, button:focus-visible, input:focus-visible, .summary:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px }
a:focus-visible { border-radius: 4px }
.card > :last-child, .card section > :last-child { margin-bottom: 0 }
@media (max-width: 480px) {
  body { padding: 0 }
  body:has(.foot) { background: var(--card) }
  .card { min-height: 100vh; min-height: 100dvh; border: 0; border-radius: 0; box-shadow: none; padding: 24px 16px }
  .wide { padding: 24px 16px }
}
`

/** How a page says that something succeeded, was refused, or failed: by its heading, an icon and a colour. */
export type Outcome = 'success' | 'refused' | 'failed'
export const OUTCOME_CSS = `
.outcome { display: flex; gap: 12px; align-items: flex-start }
.outcome::before { flex: none; display: grid; place-items: center; width: 28px; height: 28px; border-radius: 50%; color: var(--card); font-size: 16px; font-weight: 700; line-height: 1 }
.success { color: var(--good) }
.success::before { background: var(--good); content: '\\2713'; content: '\\2713' / '' }
.refused { color: var(--warning) }
.refused::before { background: var(--warning); content: '\\2715'; content: '\\2715' / '' }
.failed { color: var(--danger) }
.failed::before { background: var(--danger); content: '!'; content: '!' / '' }
`

/** The complete style sheet of a page. */
export const styleOf = (css: string): string => DESIGN_TOKENS + BASE + css

type Page = {
  readonly lang: string
  readonly title: string
  readonly nonce: string
  /** Style rules of this page's parts. */
  readonly css?: string
  /** For lists and documents; other pages have one narrow column. */
  readonly wide?: boolean
  /** Attributes of the body. */
  readonly body?: Readonly<Record<string, string>>
  /** A bundled script. */
  readonly script?: string
  readonly children?: Child
}

/** A complete HTML document. */
export const renderPage = ({ lang, title, nonce, css = '', wide = false, body, script, children }: Page): string => {
  const page = (
    <html lang={lang}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        {/* Without an icon browsers request /favicon.ico. */}
        <link rel="icon" href={ICON} />
        <style nonce={nonce}>{raw(styleOf(css))}</style>
      </head>
      <body class={wide ? 'wide' : ''} {...body}>
        <main>{children}</main>
        {script === undefined ? '' : <script nonce={nonce}>{raw(script)}</script>}
      </body>
    </html>
  )
  return `<!doctype html>${page.toString()}`
}
