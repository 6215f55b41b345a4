// Enrols imported factors: seals them with our keys, records them and notifies their owners. Anyone with write access to AuthSec's tables or open endpoints may have
// planted one, so an imported passkey counts only together with the password.

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

/** Stores the data of the kind. */
const storeSecret = async (t: TenantTx, ctx: ImportContext, factor: PlannedFactor): Promise<void> => {
  const { id: factorId, userId, createdAt } = factor
  if (factor.kind === 'totp') {
    const { seed, deviceType } = factor
    // Codes up to now are used up, because AuthSec may have accepted them (RFC 6238 section 5.2).
    return storeTotpSeed(t, ctx, { factorId, userId, seed, deviceType, lastStep: stepAt(ctx.clock.now()) })
  }
  const { credentialId, publicKey, algorithm, signCount, rpId, transports, aaguid, backupEligible, backedUp } = factor
  const passkey = { credentialId, publicKey, algorithm, signCount, rpId, transports: [...transports], aaguid, backupEligible, backedUp }
  const isNew = await insertPasskey(t, { ...passkey, factorId, userId, userVerified: false, discoverable: null, createdAt }, undefined)
  if (!isNew) throw new Error('The credential was registered meanwhile.')
}

type Owner = { readonly id: string; readonly email: string }

/** Enrols all factors of one person, the primary one first. */
const enrolPerson = async (
  t: TenantTx,
  ctx: ImportContext,
  { id: userId, email }: Owner,
  factors: readonly PlannedFactor[],
  notice: Notice,
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
  const summaries = ordered.map(({ kind, name }) => ({ kind, name }))
  const data = { factors: summaries, backupCodesLost: notice.codesLost.has(userId), at: now }
  await enqueueMail(t, ctx, { to: email, subjectId: userId, tenantName: notice.tenantName, template: 'factors_taken_over', data })
}

type Notice = { readonly tenantName: string; readonly codesLost: ReadonlySet<string> }

export const factorsByOwner = (factors: readonly PlannedFactor[]): ReadonlyMap<string, readonly PlannedFactor[]> => {
  const owned = new Map<string, PlannedFactor[]>()
  for (const factor of factors) owned.set(factor.userId, [...(owned.get(factor.userId) ?? []), factor])
  return owned
}

/** Enrols the factors of imported people who have none here. */
export const enrolImported = async (
  t: TenantTx,
  ctx: ImportContext,
  people: readonly Owner[],
  factors: readonly PlannedFactor[],
  codesLost: ReadonlySet<string>,
): Promise<void> => {
  const owned = factorsByOwner(factors)
  const notice = { tenantName: displayTenantName(ctx, await findTenant(t)), codesLost }
  for (const person of people) {
    const own = owned.get(person.id)
    if (own !== undefined) await enrolPerson(t, ctx, person, own, notice)
  }
}
