// Text of the asking side, as it may stand on our pages.
const LONGEST = 120

/** No marks that hide or turn what follows (Unicode categories Cc, Cf, Zl, Zp). */
export const quotedText = (text: string): string => {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim()
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain
}
