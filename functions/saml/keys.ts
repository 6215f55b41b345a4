// A tenant's SAML signing and decryption keys. The first is made on first use; the next is published in the metadata a month before the old one expires.

import { atomically, forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { insertSamlKey, listSamlKeys, type SamlKey } from '#db/store/saml-keys'
import { lockPolicy } from '#db/store/tenants'
import { secondsAfter } from '#shared/kernel/clock'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import type { Ctx } from './group.ts'

const DAY = 24 * 3600
const YEAR = 365 * DAY
const OVERLAP = 30 * DAY

const context = (id: string): string => `saml_keys:${id}`
const lasts = (key: SamlKey | undefined, now: Date): boolean => key !== undefined && key.expiresAt > secondsAfter(now, OVERLAP)

/** Runs under the tenant's lock, so that two concurrent first uses create one key. */
const addKey = (ctx: Ctx, tenantId: TenantId): Promise<SamlKey[]> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    await lockPolicy(t)
    const [id, now] = [ctx.random.id(), ctx.clock.now()]
    const there = await listSamlKeys(t, now)
    if (lasts(there[0], now)) return there
    const expiresAt = secondsAfter(now, YEAR)
    const { newSelfSignedPair } = await import('#shared/platform/crypto/self-signed')
    // Valid from a day ago, for providers whose clock is slow.
    const pair = await newSelfSignedPair(new URL(ctx.config.BASE_URL).hostname, id.replaceAll('-', ''), secondsAfter(now, -DAY), expiresAt)
    const sealedPrivateKey = await ctx.keyring.seal(t, tenantId, pair.privateKey, context(id))
    await insertSamlKey(t, { id, certificate: pair.certificate, sealedPrivateKey, createdAt: now, expiresAt })
    await recordEvent(t, ctx, { event: 'saml_key.created', actor: bySystem, target: { type: 'saml_key', id } })
    return listSamlKeys(t, now)
  })

/** Valid keys, newest first; at least one. Routes that call this emit `saml_key.created`. */
export const ensureSamlKeys = async (ctx: Ctx, tenantId: TenantId): Promise<readonly SamlKey[]> => {
  const now = ctx.clock.now()
  const keys = await listSamlKeys(forTenant(ctx.db, tenantId), now)
  return lasts(keys[0], now) ? keys : addKey(ctx, tenantId)
}

/** PKCS #8. @throws Error when the tenant's key was destroyed */
export const openSamlKey = async (ctx: Ctx, t: TenantDb, key: SamlKey): Promise<string> => {
  const opened = await ctx.keyring.open(t, t.tenantId, key.sealedPrivateKey, context(key.id))
  if (opened === undefined) throw new Error('A SAML key was sealed under a key that is gone.')
  return opened
}

/** The oldest valid key, which providers with stale metadata also know. */
export const samlSigningKeyOf = (keys: readonly SamlKey[]): SamlKey | undefined => keys.at(-1)
