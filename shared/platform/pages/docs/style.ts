// The style sheet and the script of the API page. Tokens as on every page; the script only hides what does not match.
import { DESIGN_TOKENS } from '../design-tokens.ts'

export const CSS = `${DESIGN_TOKENS}
* { box-sizing: border-box }
[hidden] { display: none !important }
html { scroll-padding-top: 16px }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; overflow-wrap: anywhere }
header, main, nav { padding: 16px }
header p, article > p, dt, caption, small { color: var(--quiet) }
h1, h2, h3 { font-size: 20px; line-height: 1.3; margin: 0 0 8px }
h2 { margin-top: 32px }
h3 { font-size: 16px }
h4 { font-size: 16px; margin: 24px 0 4px }
p { margin: 0 0 12px }
code { font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace }
a { color: var(--brand) }
a:focus-visible, input:focus-visible, summary:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; border-radius: 4px }
label { display: block; margin-bottom: 4px }
input { width: 100%; min-height: 44px; padding: 8px 12px; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--quiet); border-radius: 10px }
nav ul { list-style: none; margin: 0; padding: 0 }
nav a { display: flex; gap: 8px; align-items: baseline; padding: 10px 0; min-height: 44px; text-decoration: none }
nav strong { display: block; margin-top: 12px }
nav a code { color: var(--ink) }
.method { font-size: 12px; font-weight: 700; letter-spacing: .04em; flex: none }
h3 a { color: inherit; text-decoration: none; display: inline-block; padding: 8px 0 }
h3 .method { color: var(--brand); margin-right: 4px }
article { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; margin: 0 0 16px }
article:target { border-color: var(--brand) }
dl { margin: 0; display: grid; grid-template-columns: 9em 1fr; gap: 4px 12px }
dt, dd { margin: 0 }
summary { min-height: 44px; padding: 10px 0; cursor: pointer }
table { width: 100%; border-collapse: collapse; table-layout: fixed; margin: 0 0 12px }
caption { text-align: left; font-size: 14px; padding: 4px 0 }
th, td { text-align: left; vertical-align: top; padding: 8px 8px 8px 0; border-top: 1px solid var(--line); font-weight: 400 }
thead th:first-child { width: 38% }
thead th { font-size: 14px; color: var(--quiet) }
small { display: block; font-size: 14px }
@media (max-width: 899px) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: 8px } }
@media (min-width: 900px) {
  body { display: grid; grid-template-columns: 340px minmax(0, 820px); grid-template-rows: auto 1fr; column-gap: 32px }
  header { grid-column: 2; padding-top: 32px }
  nav { grid-column: 1; grid-row: 1 / span 2; position: sticky; top: 0; height: 100vh; overflow-y: auto; border-right: 1px solid var(--line); background: var(--card) }
  main { grid-column: 2 }
}
`

/** Hides what does not hold every word that was typed. */
export const SCRIPT = `
const input = document.querySelector('#search')
const count = document.querySelector('#count')
const articles = [...document.querySelectorAll('article')].map((node) => ({ node, text: node.textContent.toLowerCase(), link: document.querySelector('nav a[href="#' + node.id + '"]').parentElement }))
const holders = [...document.querySelectorAll('main > section, nav > details > ul > li')]
document.querySelector('#finder').hidden = false
const wide = matchMedia('(min-width: 900px)')
const unfold = () => { document.querySelector('nav > details').open = wide.matches }
wide.addEventListener('change', unfold)
unfold()
input.addEventListener('input', () => {
  const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean)
  let shown = 0
  for (const { node, text, link } of articles) {
    const fits = words.every((word) => text.includes(word))
    node.hidden = link.hidden = !fits
    if (fits) shown++
  }
  for (const holder of holders) holder.hidden = !holder.querySelector('article:not([hidden]), li:not([hidden])')
  count.textContent = words.length === 0 ? '' : shown + ' found'
})
`
