// German: push notifications.
import type { PushStrings } from './push-en.ts'

export const pushDe: PushStrings = {
  asks: '{client} bittet Sie, eine Anmeldung zu bestätigen.',
  says: '\u201e{text}\u201c',
  unknown: 'Eine App',
  number: 'Halten Sie die Zahl bereit, die in der App angezeigt wird.',
}
