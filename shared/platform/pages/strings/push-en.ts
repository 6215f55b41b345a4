// English: what a pushed notification says. Other languages have this shape.
export const pushEn = {
  asks: '{client} asks you to approve a sign-in.',
  says: '\u201c{text}\u201d',
  unknown: 'A program',
  number: 'Have the number ready that it shows you.',
}
export type PushStrings = typeof pushEn
