// Style rules of the hosted pages, in addition to those of all pages and forms.
import { OUTCOME_CSS } from './layout.tsx'

export const HOSTED_CSS = `${OUTCOME_CSS}
.approve main { max-width: 560px }
.brand { display: flex; align-items: center; gap: 12px; margin: 0 0 24px; font-weight: 600; overflow-wrap: anywhere }
.brand img { max-width: 160px; max-height: 48px }
.note { margin: 0 0 16px; padding: 12px 16px; border: 1px solid var(--good); border-radius: var(--radius) }
.note::before { content: '\\2713\\00a0'; color: var(--good); font-weight: 600 }
.warn { margin: 0 0 16px; padding: 12px 16px; border: 1px solid var(--warning); border-radius: var(--radius) }
.warn::before { content: '\\26a0\\fe0e\\00a0'; color: var(--warning) }
form + p { margin-top: 16px }
form + form, .links + form, form + .second, .primary + .second, form + .links, .or + * { margin-top: 12px }
.or { display: flex; align-items: center; gap: 12px; margin: 16px 0; color: var(--quiet) }
.or::before, .or::after { content: ''; flex: 1; border-top: 1px solid var(--line) }
.ways { display: grid; gap: 12px; margin: 0 0 16px }
.ways .second { margin: 0 }
.ways svg { flex: none }
.ways span { min-width: 0; overflow-wrap: anywhere }
.who-is { overflow-wrap: anywhere }
.foot { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; margin-top: 8px; padding: 0 8px; color: var(--quiet); font-size: 14px; overflow-wrap: anywhere }
.foot nav { display: flex; flex-wrap: wrap; gap: 0 16px; align-items: center }
.foot a, .foot summary { display: inline-flex; align-items: center; min-height: 44px; color: var(--quiet) }
.foot summary { cursor: pointer; text-decoration: underline }
.foot details[open] { flex-basis: 100% }
.foot nav a, .foot nav span { display: inline-flex; align-items: center; min-height: 44px }
.foot nav form { display: flex; flex-wrap: wrap; gap: 0 16px; margin: 0 }
.foot .link { color: var(--quiet) }
.rows a { display: inline-flex; align-items: center; min-height: 44px }
summary:focus-visible, select:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; border-radius: 4px }
.link { min-height: 44px; padding: 0; border: 0; background: none; color: var(--brand); font: inherit; text-decoration: underline; cursor: pointer }
.card summary { padding: 10px 0; cursor: pointer }
.part { margin-top: 24px; padding-top: 16px; border-top: 1px solid var(--line) }
.part h2 { margin-bottom: 8px }
.rows { list-style: none; margin: 0 0 12px; padding: 0 }
.rows li { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; justify-content: space-between; padding: 8px 0; border-top: 1px solid var(--line) }
.rows li:first-child { border-top: 0 }
.rows form { margin: 0 }
.rows .what { flex: 1 1 160px; min-width: 0; overflow-wrap: anywhere }
.rows small { display: block; color: var(--quiet); font-size: 14px }
.rows .alarm, .link.danger, a.danger { color: var(--danger) }
.facts { margin: 0 0 16px }
.facts dt { color: var(--quiet); font-size: 14px }
.facts dd { margin: 0 0 12px; overflow-wrap: anywhere }
.facts ul { margin: 0; padding-inline-start: 20px }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px }
.pair .second { margin-top: 0 }
blockquote { margin: 0 0 16px; padding: 8px 16px; border-inline-start: 3px solid var(--line); overflow-wrap: anywhere }
.number { margin: 0 0 16px; font-size: 32px; font-weight: 600; letter-spacing: 4px; text-align: center }
.codes { display: grid; grid-template-columns: repeat(auto-fit, minmax(232px, 1fr)); gap: 8px; margin: 0 0 16px; padding: 0; list-style: none; white-space: nowrap; font: 16px ui-monospace, Menlo, Consolas, monospace }
.codes, .seed { user-select: all; -webkit-user-select: all }
.tools { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 16px }
.seed + .second { margin: 0 0 16px }
.tools .second { flex: 1 1 auto; width: auto; margin: 0 }
.tools:not(:has(:not([hidden]))) { display: none }
.qr { width: 200px; height: 200px; margin: 0 auto 16px; background: #ffffff; border-radius: var(--radius); overflow: hidden }
.seed { font-size: 16px; overflow-wrap: anywhere }
.initials { display: grid; place-items: center; flex: none; width: 40px; height: 40px; border-radius: var(--radius); background: var(--brand); color: var(--brand-ink); font-size: 16px; letter-spacing: 1px }
@media print { .foot, .tools, form, .primary, .second, .links { display: none !important } body, .card { background: none; border: 0; box-shadow: none; color: #000000 } }
@media (max-width: 480px) { .card { min-height: 0 } .foot { margin-top: 0; padding: 0 16px 24px } .approve main { max-width: none } }
`
