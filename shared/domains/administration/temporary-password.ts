// How long what an administrator hands out is good, and what stands in where no mail can go out.
import type { Random } from '#shared/kernel/random'

/** How long an invitation, a link and a temporary password are good. */
export const TEMPORARY_SECONDS = 7 * 24 * 3600

/** 20 characters, some 117 bits: no letters that look alike, so that it can be read out. */
export const temporaryPassword = (random: Random): string => {
  const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  let text = ''
  while (text.length < 20) for (const byte of random.bytes(40)) if (byte < 224 && text.length < 20) text += letters[byte % 56] ?? ''
  return text
}
