// Words of whoever asks, on the screen of whoever decides. They are quoted where they are shown; what could make them look like something else goes before.

/** Controls, invisible and formatting characters (direction marks, zero widths, tags, joiners), private use and unassigned ones. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** A pile of combining marks covers its neighbours. */
const PILES = /(\p{M}{2})\p{M}+/gu
const MARKUP = /<[^>]*>/g

/**
 * One line of plain characters: no markup, nothing invisible, nothing that changes the direction of what follows. At most `most` characters; undefined where
 * nothing is left.
 */
export const plainText = (text: string, most: number): string | undefined => {
  const visible = text
    .normalize('NFC')
    .replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
    .replace(UNSEEN, '')
    .replace(MARKUP, ' ')
    .replace(/[<>]/g, '')
  const line = [...visible.replace(PILES, '$1').replace(/\s+/gu, ' ').trim()].slice(0, most).join('').trim()
  return line === '' ? undefined : line
}

const MOST_MEMBERS = 12
const MOST_NAME = 40
const MOST_VALUE = 120
const NAME = /^[A-Za-z][\w.-]*$/

/** Of what a device says of itself, a dozen short texts under plain names. */
export const plainDeviceInfo = (reported: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, string>> | undefined => {
  const members = Object.entries(reported ?? {}).flatMap(([name, value]) => {
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    const shown = isPlain && NAME.test(name) && name.length <= MOST_NAME ? plainText(String(value), MOST_VALUE) : undefined
    return shown === undefined ? [] : [[name, shown] as const]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members.slice(0, MOST_MEMBERS))
}
