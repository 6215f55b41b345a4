// English: push notifications. Other languages have this shape.
export const pushEn = {
  asks: '{client} asks you to approve a sign-in.',
  says: '\u201c{text}\u201d',
  unknown: 'An app',
  number: 'Have the number ready that the app displays.',
}
export type PushStrings = typeof pushEn
