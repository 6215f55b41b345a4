// What may stand in a header of a mail. Names and subjects come from people, so a line break in them must not become a header of its own.

/** Controls, lone surrogates, line and paragraph separators, and the marks that turn the direction of text: none has business in one line. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]+/gu
const LONGEST_HEADER = 200

/** One printable line, cut to what a header should hold unless told. */
export const singleLine = (text: string, longest = LONGEST_HEADER): string => {
  const line = text.replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim()
  return [...line].slice(0, longest).join('')
}

/** RFC 5321 allows 254 characters between the angle brackets; quoted local parts and address literals are not ours to send to. */
const MAILBOX = /^(?=.{3,254}$)[^\s\p{Cc}<>()[\]\\,;:@"]{1,64}@[^\s\p{Cc}<>()[\]\\,;:@"]+$/u

/** Whether the text is exactly one address, and cannot be read as a list or a group. */
export const isMailbox = (text: string): boolean => MAILBOX.test(text)
