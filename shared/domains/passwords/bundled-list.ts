// The list that comes with the code: common passwords, and what is obviously made from them. Read at its first use, from a bundle chunk of its own.
import { createHash } from 'node:crypto'
import type { BreachedPasswords } from './breached.ts'
import { comparableForms, foldedText, lettersOnly, repeatingUnit, wordCore } from './comparable-forms.ts'
import { isGuessable } from './guessable.ts'

/** Shorter words stand in too many good passwords by accident. */
export const SHORTEST_WORD = 4
const SHORTEST_SCATTERED_WORD = 6

/** What the list knows a word by: the first 32 bits of its SHA-256. One word in a hundred thousand is taken for a listed one. */
export const fingerprint = (word: string): number => createHash('sha256').update(word).digest().readUInt32BE(0)

/** What is listed for a leaked password: its core, or itself where its digits are what makes it. */
export const listedForm = (leaked: string): string | undefined => {
  const core = wordCore(foldedText(leaked))
  if (core.length >= SHORTEST_WORD && /^\p{L}/u.test(core)) return core
  return leaked.length >= 8 ? foldedText(leaked) : undefined
}

const decode = (base64: string): Uint32Array => {
  const bytes = Buffer.from(base64, 'base64')
  return Uint32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32BE(at * 4))
}

const includes = (sorted: Uint32Array, value: number): boolean => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return sorted[low] === value
}

let read: Promise<Uint32Array> | undefined
const shippedWords = (): Promise<Uint32Array> => {
  read ??= import('./common-passwords.generated.ts').then((module) => decode(module.COMMON_PASSWORDS))
  return read
}

const longEnough = (word: string): boolean => word.length >= SHORTEST_WORD

/** What remains of each form when digits and symbols are taken out everywhere. */
const scatteredWords = (forms: readonly string[]): string[] =>
  forms.map(lettersOnly).flatMap((letters) => (letters.length >= SHORTEST_SCATTERED_WORD ? [letters, repeatingUnit(letters)] : []))

/** Knows a listed word in any case, doubled, in look-alike signs, or with digits and symbols for all its other characters. */
export const bundledBreachedPasswords = (): BreachedPasswords => ({
  has: async (password) => {
    const forms = [...comparableForms(password)].filter(longEnough)
    if (forms.some(isGuessable)) return true
    const words = await shippedWords()
    const requested = new Set([...forms, ...scatteredWords(forms).filter(longEnough)])
    return [...requested].some((word) => includes(words, fingerprint(word)))
  },
})
