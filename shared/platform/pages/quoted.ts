// Text from clients, made safe for display on our pages.
const LONGEST = 120

/** Removes characters that hide or reorder text (Unicode categories Cc, Cf, Zl, Zp), and limits the length. */
export const quotedText = (text: string): string => {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim()
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain
}
