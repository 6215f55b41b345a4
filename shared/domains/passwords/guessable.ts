// Passwords that are guessable without a list: a short repeated unit, or sequences of the keyboard, the alphabet or digits.
import { repeatingUnit } from './comparable-forms.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'
const DIGITS = '01234567890'
/** Rows and columns of QWERTY, QWERTZ and AZERTY. */
const PATHS = [
  ALPHABET,
  DIGITS,
  '1234567890-=',
  'qwertyuiop[]asdfghjkl;zxcvbnm,./',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'zaq1xsw2cde3vfr4bgt5nhy6mju7',
]
const backwards = (text: string): string => [...text].reverse().join('')
// Doubled, so that a sequence may wrap around: 7890123456.
const WALKS = PATHS.flatMap((path) => [path + path, backwards(path + path)])

/** Up to this many sequences in a row are as guessable as one: `qwertyuiop1234567890` has two. */
const MAX_WALKS = 3
/** Shorter sequences occur in many good passwords, so they count at the end only. */
const MIN_WALK = 4

/** The length of the longest sequence at the start of the text. */
const walkLength = (text: string): number => {
  let longest = 0
  for (const walk of WALKS) {
    while (longest < text.length && walk.includes(text.slice(0, longest + 1))) longest += 1
  }
  return longest
}

/** Whether a lower-case text consists of at most three sequences, or repeats a unit of at most four characters. */
export const isGuessable = (text: string): boolean => {
  if (text.length >= 8 && repeatingUnit(text).length <= 4) return true
  let rest = text
  for (let walks = 0; walks < MAX_WALKS && rest !== ''; walks += 1) {
    const length = walkLength(rest)
    if (length < MIN_WALK && length < rest.length) return false
    rest = rest.slice(length)
  }
  return rest === ''
}
