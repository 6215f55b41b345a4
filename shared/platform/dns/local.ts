// A resolver that answers with the records that tests set.
import type { TxtAnswer, TxtResolver } from './resolver.ts'

export type LocalTxtResolver = TxtResolver & { set(name: string, answer: TxtAnswer): void; readonly queries: readonly string[] }

export const localTxtResolver = (): LocalTxtResolver => {
  const records = new Map<string, TxtAnswer>()
  const requested: string[] = []
  return {
    queries: requested,
    set: (name, answer) => void records.set(name, answer),
    txt: async (name) => {
      requested.push(name)
      return records.get(name) ?? 'none'
    },
  }
}
