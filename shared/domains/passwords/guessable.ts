// Passwords that need no list: one short piece over and over, or a walk along the keyboard, the alphabet or the digits.
import { repeatingUnit } from './comparable-forms.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'
const DIGITS = '01234567890'
/** Rows and columns of QWERTY, QWERTZ and AZERTY; a column is walked downwards, then the next. */
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
// Twice, so that a walk may go round: 7890123456.
const WALKS = PATHS.flatMap((path) => [path + path, backwards(path + path)])

/** Up to this many walks, one after the other, are as guessable as one: `qwertyuiop1234567890` is two. */
const MOST_WALKS = 3
/** A shorter step along the keyboard is in many good passwords; it counts at the very end alone. */
const SHORTEST_WALK = 4

/** The length of the longest walk that the text begins with. */
const walkLength = (text: string): number => {
  let longest = 0
  for (const walk of WALKS) {
    while (longest < text.length && walk.includes(text.slice(0, longest + 1))) longest += 1
  }
  return longest
}

/** Whether the text, already in lower case, is made of at most three walks, or repeats a piece of at most four characters. */
export const isGuessable = (text: string): boolean => {
  if (text.length >= 8 && repeatingUnit(text).length <= 4) return true
  let rest = text
  for (let walks = 0; walks < MOST_WALKS && rest !== ''; walks += 1) {
    const length = walkLength(rest)
    if (length < SHORTEST_WALK && length < rest.length) return false
    rest = rest.slice(length)
  }
  return rest === ''
}
