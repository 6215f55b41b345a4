// What a person had in mind when they typed a password: the same word in other letters, doubled, or padded until it was long enough.

/** Lower case and NFC, as every form and every listed word is written. */
export const foldedText = (text: string): string => text.normalize('NFC').toLowerCase().normalize('NFC')

/** The shortest piece that the text repeats at least one and a half times: `passwordpassw` is `password`. The text itself when there is none. */
export const repeatingUnit = (text: string): string => {
  // Knuth, Morris and Pratt's failure function: linear, where trying every length is not.
  const border = [0]
  for (let at = 1, length = 0; at < text.length; at += 1) {
    while (length > 0 && text[at] !== text[length]) length = border[length - 1] ?? 0
    if (text[at] === text[length]) length += 1
    border[at] = length
  }
  const period = text.length - (border[text.length - 1] ?? 0)
  return period * 3 <= text.length * 2 ? text.slice(0, period) : text
}

/** Without the digits and symbols around it. */
export const wordCore = (text: string): string => text.replace(/^[^\p{L}\p{M}]+/u, '').replace(/(?<=[\p{L}\p{M}])[^\p{L}\p{M}]+$/u, '')

export const lettersOnly = (text: string): string => text.replace(/[^\p{L}\p{M}]+/gu, '')

const LOOKALIKES: readonly Readonly<Record<string, string>>[] = [
  { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' },
  { '0': 'o', '1': 'l', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'l' },
]
const spellings = (text: string): string[] => [text, ...LOOKALIKES.map((letters) => text.replace(/[013457@$!]/g, (sign) => letters[sign] ?? sign))]

/** Every word that the text may stand for, itself first: with and without padding, doubling and look-alike signs. */
export const comparableForms = (text: string): ReadonlySet<string> => {
  const whole = foldedText(text)
  const forms = new Set([whole])
  for (const unit of [whole, repeatingUnit(whole)]) {
    for (const core of [unit, wordCore(unit)]) for (const spelling of spellings(core)) forms.add(spelling).add(repeatingUnit(spelling))
  }
  return forms
}
