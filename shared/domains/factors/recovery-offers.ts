// The ways of recovery that a tenant offers to people who lost their factors.
import type { Tenant } from '#db/store/tenants'

export type RecoveryOffers = {
  readonly backupCodes: boolean
  readonly administratorPass: boolean
  /** Days to wait; undefined when not offered. */
  readonly waitingDays: number | undefined
}

const MAX_DAYS = 30

/** Backup codes and an administrator's pass are on by default; waiting is off by default. */
export const findRecoveryOffers = (tenant: Pick<Tenant, 'settings'> | undefined): RecoveryOffers => {
  const { backupCodes = true, administratorPass = true, waitingDays } = tenant?.settings.recovery ?? {}
  const days = waitingDays !== undefined && waitingDays >= 1 ? Math.min(waitingDays, MAX_DAYS) : undefined
  return { backupCodes, administratorPass, waitingDays: days }
}
