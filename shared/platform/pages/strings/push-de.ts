// German: what a pushed notification says.
import type { PushStrings } from './push-en.ts'

export const pushDe: PushStrings = {
  asks: '{client} bittet Sie, eine Anmeldung zu bestätigen.',
  says: '\u201e{text}\u201c',
  unknown: 'Ein Programm',
  number: 'Halten Sie die Zahl bereit, die dort steht.',
}
