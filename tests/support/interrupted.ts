// A database that runs something once before a change, to simulate a concurrent change or a delay.
import { type Db, openDb } from '#db/engine/client'
import { isRead } from '#db/engine/pool'
import { testDb } from './database.ts'

export const interruptedDb = async (): Promise<{
  readonly db: Db
  /** Before the next change: the next single statement with this text; by default any statement, or a transaction. */
  readonly before: (work: () => Promise<unknown>, text?: RegExp) => void
}> => {
  const { engine } = await testDb()
  let meanwhile: { readonly work: () => Promise<unknown>; readonly text: RegExp | undefined } | undefined
  const interrupt = async (): Promise<void> => {
    const first = meanwhile?.work
    meanwhile = undefined
    await first?.()
  }
  const db = openDb({
    ...engine,
    one: async (scope, statement) => {
      if (meanwhile !== undefined && !isRead(statement) && meanwhile.text?.test(statement.text) !== false) await interrupt()
      return engine.one(scope, statement)
    },
    transaction: async (scope, work) => {
      if (meanwhile?.text === undefined) await interrupt()
      return engine.transaction(scope, work)
    },
  })
  const before = (work: () => Promise<unknown>, text?: RegExp): void => {
    meanwhile = { work, text }
  }
  return { db, before }
}
