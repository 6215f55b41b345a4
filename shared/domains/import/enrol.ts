// Factors of another system become factors here: sealed with our keys, recorded, told to their owner. Whoever could write to that system's tables, or to its open
// endpoints, may have put one there; so a passkey that came along counts beside the password and never alone.

import type { TenantTx } from '#db/engine/tenant'
import { insertFactor } from '#db/store/factors'
import { insertPasskey } from '#db/store/passkeys'
import { findTenant } from '#db/store/tenants'
import { storeTotpSeed } from '#shared/domains/factors/totp'
import { stepAt } from '#shared/domains/factors/totp-code'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'
import type { ImportContext } from './context.ts'
import type { PlannedFactor } from './factors.ts'

/** Writes what belongs to the kind. */
const storeSecret = async (t: TenantTx, ctx: ImportContext, factor: PlannedFactor): Promise<void> => {
  const { id: factorId, userId, createdAt } = factor
  if (factor.kind === 'totp') {
    const { seed, deviceType } = factor
    // Whatever was shown until now, and may have been shown there, is spent (RFC 6238 section 5.2).
    return storeTotpSeed(t, ctx, { factorId, userId, seed, deviceType, lastStep: stepAt(ctx.clock.now()) })
  }
  const { credentialId, publicKey, algorithm, signCount, rpId, transports, aaguid, backupEligible, backedUp } = factor
  const passkey = { credentialId, publicKey, algorithm, signCount, rpId, transports: [...transports], aaguid, backupEligible, backedUp }
  const isNew = await insertPasskey(t, { ...passkey, factorId, userId, userVerified: false, discoverable: null, createdAt }, undefined)
  if (!isNew) throw new Error('Somebody has registered this credential meanwhile.')
}

type Owner = { readonly id: string; readonly email: string }

/** All of one person, the primary one first. */
const enrolPerson = async (
  t: TenantTx,
  ctx: ImportContext,
  { id: userId, email }: Owner,
  factors: readonly PlannedFactor[],
  told: Notice,
): Promise<void> => {
  const now = ctx.clock.now()
  const ordered = factors.toSorted((a, b) => Number(b.isPrimary) - Number(a.isPrimary))
  for (const [at, factor] of ordered.entries()) {
    const { id, kind, name, createdAt, lastUsedAt } = factor
    await insertFactor(t, { id, userId, kind, name, isPrimary: at === 0, confirmedAt: now, lastUsedAt: lastUsedAt ?? null, createdAt })
    await storeSecret(t, ctx, factor)
    const target = { type: 'factor', id }
    await recordEvent(t, ctx, { event: 'factor.added', actor: bySystem, target, subjectId: userId, after: { kind, name, by: 'import' } })
  }
  const shown = ordered.map(({ kind, name }) => ({ kind, name }))
  const data = { factors: shown, backupCodesLost: told.codesLost.has(userId), at: now }
  await enqueueMail(t, ctx, { to: email, subjectId: userId, tenantName: told.tenantName, template: 'factors_taken_over', data })
}

type Notice = { readonly tenantName: string; readonly codesLost: ReadonlySet<string> }

export const factorsByOwner = (factors: readonly PlannedFactor[]): ReadonlyMap<string, readonly PlannedFactor[]> => {
  const owned = new Map<string, PlannedFactor[]>()
  for (const factor of factors) owned.set(factor.userId, [...(owned.get(factor.userId) ?? []), factor])
  return owned
}

/** Of people who are here and have no factor. */
export const enrolImported = async (
  t: TenantTx,
  ctx: ImportContext,
  people: readonly Owner[],
  factors: readonly PlannedFactor[],
  codesLost: ReadonlySet<string>,
): Promise<void> => {
  const owned = factorsByOwner(factors)
  const notified = { tenantName: displayTenantName(ctx, await findTenant(t)), codesLost }
  for (const person of people) {
    const own = owned.get(person.id)
    if (own !== undefined) await enrolPerson(t, ctx, person, own, notified)
  }
}
