// The words behind a password: other case, doubling, padding and look-alike characters are undone.

/** Lower case and NFC, the normal form of all words here. */
export const foldedText = (text: string): string => text.normalize('NFC').toLowerCase().normalize('NFC')

/** The shortest unit that the text repeats at least one and a half times (`passwordpassw` gives `password`), or the text itself. */
export const repeatingUnit = (text: string): string => {
  // The failure function of Knuth, Morris and Pratt, which is linear.
  const border = [0]
  for (let at = 1, length = 0; at < text.length; at += 1) {
    while (length > 0 && text[at] !== text[length]) length = border[length - 1] ?? 0
    if (text[at] === text[length]) length += 1
    border[at] = length
  }
  const period = text.length - (border[text.length - 1] ?? 0)
  return period * 3 <= text.length * 2 ? text.slice(0, period) : text
}

/** The text without surrounding digits and symbols. */
export const wordCore = (text: string): string => text.replace(/^[^\p{L}\p{M}]+/u, '').replace(/(?<=[\p{L}\p{M}])[^\p{L}\p{M}]+$/u, '')

export const lettersOnly = (text: string): string => text.replace(/[^\p{L}\p{M}]+/gu, '')

const LOOKALIKES: readonly Readonly<Record<string, string>>[] = [
  { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i' },
  { '0': 'o', '1': 'l', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'l' },
]
const spellings = (text: string): string[] => [text, ...LOOKALIKES.map((letters) => text.replace(/[013457@$!]/g, (sign) => letters[sign] ?? sign))]

/** All words that the text may stand for, itself first. */
export const comparableForms = (text: string): ReadonlySet<string> => {
  const whole = foldedText(text)
  const forms = new Set([whole])
  for (const unit of [whole, repeatingUnit(whole)]) {
    for (const core of [unit, wordCore(unit)]) for (const spelling of spellings(core)) forms.add(spelling).add(repeatingUnit(spelling))
  }
  return forms
}
