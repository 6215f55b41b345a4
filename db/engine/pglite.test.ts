import { migrate } from '../migrations/migrate.ts'
import { openDb } from './client.ts'
import { engineContract } from './engine.contract.ts'
import { openPglite, pgliteEngine } from './pglite.ts'

engineContract('PGlite', async () => {
  const engine = pgliteEngine(await openPglite())
  await migrate(openDb(engine), new Date())
  return { engine, close: engine.close }
})
