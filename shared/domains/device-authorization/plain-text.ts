// Cleans text that a client or device supplies before a person reads it. It is shown as a quotation; characters that could disguise it are removed.

/** Control, invisible and formatting characters (direction marks, zero widths, tags, joiners), private use and unassigned ones. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** Stacked combining marks cover neighbouring characters. */
const STACKED_MARKS = /(\p{M}{2})\p{M}+/gu
const MARKUP = /<[^>]*>/g

/**
 * Returns one line of visible characters without markup or direction changes, at most `most` long; undefined when nothing remains.
 */
export const plainText = (text: string, most: number): string | undefined => {
  const visible = text
    .normalize('NFC')
    .replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
    .replace(UNSEEN, '')
    .replace(MARKUP, ' ')
    .replace(/[<>]/g, '')
  const line = [...visible.replace(STACKED_MARKS, '$1').replace(/\s+/gu, ' ').trim()].slice(0, most).join('').trim()
  return line === '' ? undefined : line
}

const MOST_MEMBERS = 12
const MOST_NAME = 40
const MOST_VALUE = 120
const NAME = /^[A-Za-z][\w.-]*$/

/** At most twelve short texts of what a device reports about itself. */
export const plainDeviceInfo = (reported: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, string>> | undefined => {
  const members = Object.entries(reported ?? {}).flatMap(([name, value]) => {
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    const text = isPlain && NAME.test(name) && name.length <= MOST_NAME ? plainText(String(value), MOST_VALUE) : undefined
    return text === undefined ? [] : [[name, text] as const]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members.slice(0, MOST_MEMBERS))
}
