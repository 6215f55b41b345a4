// Sanitises text for mail headers. Names and subjects come from people; a line break in them must not start another header.

/** Control characters, lone surrogates, line and paragraph separators, and bidirectional formatting characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]+/gu
const LONGEST_HEADER = 200

/** One printable line of bounded length. */
export const singleLine = (text: string, longest = LONGEST_HEADER): string => {
  const line = text.replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim()
  return [...line].slice(0, longest).join('')
}

/** RFC 5321 allows 254 characters between the angle brackets. Quoted local parts and address literals are refused. */
const MAILBOX = /^(?=.{3,254}$)[^\s\p{Cc}<>()[\]\\,;:@"]{1,64}@[^\s\p{Cc}<>()[\]\\,;:@"]+$/u

/** Whether the text is exactly one address, and cannot be read as a list or a group. */
export const isMailbox = (text: string): boolean => MAILBOX.test(text)
