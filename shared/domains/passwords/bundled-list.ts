// The bundled list of common passwords and passwords derived from them. Loaded on first use from its own chunk.
import { createHash } from 'node:crypto'
import type { BreachedPasswords } from './breached.ts'
import { comparableForms, foldedText, lettersOnly, repeatingUnit, wordCore } from './comparable-forms.ts'
import { isGuessable } from './guessable.ts'

/** Shorter words occur in too many good passwords by chance. */
export const SHORTEST_WORD = 4
const SHORTEST_SCATTERED_WORD = 6

/** The stored form of a word: the first 32 bits of its SHA-256. One in a hundred thousand words matches by chance. */
export const fingerprint = (word: string): number => createHash('sha256').update(word).digest().readUInt32BE(0)

/** The listed form of a leaked password: its core, or the whole where digits define it. */
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

const isLongEnough = (word: string): boolean => word.length >= SHORTEST_WORD

/** The letters of each form, without digits and symbols. */
const scatteredWords = (forms: readonly string[]): string[] =>
  forms.map(lettersOnly).flatMap((letters) => (letters.length >= SHORTEST_SCATTERED_WORD ? [letters, repeatingUnit(letters)] : []))

/** Matches a listed word in any case, doubled, with look-alike characters, or padded with digits and symbols. */
export const bundledBreachedPasswords = (): BreachedPasswords => ({
  has: async (password) => {
    const forms = [...comparableForms(password)].filter(isLongEnough)
    if (forms.some(isGuessable)) return true
    const words = await shippedWords()
    const candidates = new Set([...forms, ...scatteredWords(forms).filter(isLongEnough)])
    return [...candidates].some((word) => includes(words, fingerprint(word)))
  },
})
