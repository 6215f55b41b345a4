// What is done for somebody is done for nobody too, and undone: so an unknown address costs what a known one does.
import { atomically, type TenantDb, type TenantTx } from '#db/engine/tenant'

class Undone extends Error {}

/** Does the work; for nobody the same work is done and undone. */
export const commitOrRollBack = async (t: TenantDb, isReal: boolean, work: (t: TenantTx) => Promise<void>): Promise<void> => {
  try {
    await atomically(t, async (tx) => {
      await work(tx)
      if (!isReal) throw new Undone()
    })
  } catch (error) {
    if (!(error instanceof Undone)) throw error
  }
}
