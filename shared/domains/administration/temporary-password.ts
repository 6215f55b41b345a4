// Temporary passwords, for when no mail can be sent, and their validity.
import type { Random } from '#shared/kernel/random'

/** Validity of an invitation, a link and a temporary password. */
export const TEMPORARY_SECONDS = 7 * 24 * 3600

/** 20 characters without look-alikes (about 117 bits), so that it can be read aloud. */
export const temporaryPassword = (random: Random): string => {
  const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  let text = ''
  while (text.length < 20) for (const byte of random.bytes(40)) if (byte < 224 && text.length < 20) text += letters[byte % 56] ?? ''
  return text
}
