// Renders a letter, given as parts, to plain text and HTML, so that both have the same content and escaping happens in one place.
import { singleLine } from './header.ts'

/** A label and its value. */
export type LetterFact = readonly [label: string, value: string]
export type LetterPart =
  | { readonly kind: 'text'; readonly text: string }
  /** A code for the reader to type, on a line of its own. */
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'link'; readonly label: string; readonly url: string }
  | { readonly kind: 'facts'; readonly facts: readonly LetterFact[] }
  | { readonly kind: 'small'; readonly text: string }

export type Letter = { readonly subject: string; readonly title: string; readonly parts: readonly LetterPart[] }
export type RenderedMail = { readonly subject: string; readonly text: string; readonly html: string }

export const paragraph = (text: string): LetterPart => ({ kind: 'text', text })
export const smallPrint = (text: string): LetterPart => ({ kind: 'small', text })
export const factList = (...all: readonly LetterFact[]): LetterPart => ({ kind: 'facts', facts: all })

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

/** A user-chosen name made safe for mails: one short line, without anything that mail programs turn into a link. */
export const safeDisplayName = (name: string): string => [...singleLine(name).replace(/:?\/{2,}/g, ' ')].slice(0, 80).join('')

/** Only http and https links are clickable; any other URL is shown as text. */
const isWebLink = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

/** One printable line of the body. */
const line = (text: string): string => singleLine(text, 2000)

const FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
const MONO = 'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace'
/** What a tenant's branding changes. */
export type MailBrand = { readonly brand: string; readonly brandInk: string; readonly radius: number }
const DEFAULT_BRAND: MailBrand = { brand: '#2f5bea', brandInk: '#ffffff', radius: 10 }
const cardStyle = ({ brand, radius }: MailBrand): string =>
  `max-width:440px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d9dde4;border-top:4px solid ${brand};border-radius:${radius}px`
const buttonStyle = ({ brand, brandInk, radius }: MailBrand): string =>
  `display:inline-block;padding:10px 20px;background:${brand};color:${brandInk};border-radius:${radius}px;text-decoration:none;font-weight:600`

const STYLE = {
  body: `margin:0;padding:24px 12px;background:#f6f7f9;color:#16181d;${FONT};font-size:16px;line-height:1.5`,
  card: cardStyle(DEFAULT_BRAND),
  tenant: 'margin:0 0 16px;font-size:16px;font-weight:600;color:#5b6270',
  title: 'margin:0 0 12px;font-size:20px;line-height:1.3',
  text: 'margin:0 0 16px',
  code: `margin:0 0 16px;padding:12px;background:#f6f7f9;border-radius:10px;text-align:center;font-size:28px;font-weight:600;letter-spacing:4px;${MONO}`,
  button: buttonStyle(DEFAULT_BRAND),
  quiet: 'color:#5b6270;font-size:14px',
  small: 'margin:0 0 8px;color:#5b6270;font-size:14px',
  wrap: 'word-break:break-all',
}

/** A link must not be shortened. */
const shownUrl = (url: string): string => (URL.canParse(url) ? new URL(url).href : line(url))

const textOf = (part: LetterPart): string => {
  switch (part.kind) {
    case 'text':
    case 'small':
      return line(part.text)
    case 'code':
      return line(part.code)
    case 'link':
      return `${line(part.label)}:\n${shownUrl(part.url)}`
    case 'facts':
      return part.facts.map(([label, value]) => `${label}: ${line(value)}`).join('\n')
  }
}

const linkHtml = (label: string, url: string): string => {
  const shown = escapeHtml(shownUrl(url))
  if (!isWebLink(url)) return `<p style="${STYLE.text}">${escapeHtml(label)}: ${shown}</p>`
  return `<p style="${STYLE.text}"><a href="${shown}" style="${STYLE.button}">${escapeHtml(label)}</a></p>
<p style="${STYLE.small};${STYLE.wrap}">${shown}</p>`
}

const htmlOf = (part: LetterPart): string => {
  switch (part.kind) {
    case 'text':
      return `<p style="${STYLE.text}">${escapeHtml(line(part.text))}</p>`
    case 'small':
      return `<p style="${STYLE.small}">${escapeHtml(line(part.text))}</p>`
    case 'code':
      return `<p style="${STYLE.code}">${escapeHtml(line(part.code))}</p>`
    case 'link':
      return linkHtml(line(part.label), part.url)
    case 'facts':
      return `<p style="${STYLE.text}">${part.facts
        .map(([label, value]) => `<span style="${STYLE.quiet}">${escapeHtml(label)}:</span> ${escapeHtml(line(value))}`)
        .join('<br>\n')}</p>`
  }
}

/** The logo goes before it. Escaped text contains no `<`, so no value can be mistaken for it. */
const TENANT_START = `<p style="${STYLE.tenant}">`
/** The Content-ID of the logo, which is sent with the mail: mail programs load no images from elsewhere. */
export const LOGO_ID = 'logo'

/** The rendered letter in the colours of a tenant, with its logo where the mail has one attached. */
export const brandLetter = (html: string, brand: Partial<MailBrand>, logoAlt: string | undefined): string => {
  const all = { ...DEFAULT_BRAND, ...brand }
  const logo =
    logoAlt === undefined
      ? ''
      : `<p style="${STYLE.text}"><img src="cid:${LOGO_ID}" alt="${escapeHtml(logoAlt)}" style="max-width:160px;max-height:48px"></p>`
  return html
    .replace(TENANT_START, () => `${logo}${TENANT_START}`)
    .replaceAll(`style="${STYLE.card}"`, `style="${cardStyle(all)}"`)
    .replaceAll(`style="${STYLE.button}"`, `style="${buttonStyle(all)}"`)
}

/** Renders the letter with the tenant's name as its heading. It contains no images, and no URL except the link of the letter. */
export const renderLetter = (letter: Letter, tenantName: string, language: string): RenderedMail => {
  const name = safeDisplayName(tenantName)
  const subject = singleLine(letter.subject)
  const title = singleLine(letter.title)
  const html = `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(subject)}</title>
</head>
<body style="${STYLE.body}">
<div style="${STYLE.card}">
${TENANT_START}${escapeHtml(name)}</p>
<h1 style="${STYLE.title}">${escapeHtml(title)}</h1>
${letter.parts.map(htmlOf).join('\n')}
</div>
</body>
</html>
`
  const text = `${[name, title, ...letter.parts.map(textOf)].join('\n\n')}\n`
  return { subject, text, html }
}
