// Which ways back a tenant offers to who lost their factors.
import type { Tenant } from '#db/store/tenants'

export type RecoveryOffers = {
  readonly backupCodes: boolean
  readonly administratorPass: boolean
  /** Days to wait; undefined: not offered. */
  readonly waitingDays: number | undefined
}

const MOST_DAYS = 30

/** Backup codes and a pass from an administrator, unless the tenant says otherwise; waiting only where it says so. */
export const findRecoveryOffers = (tenant: Pick<Tenant, 'settings'> | undefined): RecoveryOffers => {
  const { backupCodes = true, administratorPass = true, waitingDays } = tenant?.settings.recovery ?? {}
  const days = waitingDays !== undefined && waitingDays >= 1 ? Math.min(waitingDays, MOST_DAYS) : undefined
  return { backupCodes, administratorPass, waitingDays: days }
}
