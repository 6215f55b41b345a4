// Does the same work for known and unknown addresses, and rolls it back for unknown ones, so that timing does not disclose accounts.
import { atomically, type TenantDb, type TenantTx } from '#db/engine/tenant'

class RolledBack extends Error {}

/** Commits the work if `isReal`; otherwise does it and rolls back. */
export const commitOrRollBack = async (t: TenantDb, isReal: boolean, work: (t: TenantTx) => Promise<void>): Promise<void> => {
  try {
    await atomically(t, async (tx) => {
      await work(tx)
      if (!isReal) throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  }
}
