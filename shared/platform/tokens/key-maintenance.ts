// What keeps keys young, as rules; and the one that a person runs when a key got out.
import type { PlatformCtx } from '#shared/platform/context'

/** Makes missing signing keys, promotes and retires those that are due. Harmless at any time, on any number of instances. */
export const rotateSigningKeys = async (ctx: Pick<PlatformCtx, 'db' | 'log' | 'signingKeys'>): Promise<readonly string[]> => {
  const changed = await ctx.signingKeys.rotate(ctx.db)
  if (changed.length > 0) ctx.log.info('signing_keys.changed', { keys: changed.length })
  return changed
}

export type Rewrap = { readonly dataKeys: number; readonly signingKeys: number }

/**
 * Puts everything that an older master key wraps under the current one; then the older can leave MASTER_KEYS. Others read and write meanwhile.
 * @throws SealError when something is under a master key that is not in MASTER_KEYS; the rest is done by then
 */
export const rewrapKeys = async (ctx: Pick<PlatformCtx, 'db' | 'keyring' | 'log' | 'signingKeys'>): Promise<Rewrap> => {
  const signingKeys = await ctx.signingKeys.rewrap(ctx.db)
  const dataKeys = await ctx.keyring.rewrapOfAllTenants(ctx.db)
  if (signingKeys + dataKeys > 0) ctx.log.info('keys.rewrapped', { signing_keys: signingKeys, data_keys: dataKeys })
  return { dataKeys, signingKeys }
}

/**
 * Emergency: what this key signed is refused from now on, at most two seconds later on other instances, and everybody signs in again.
 * @throws AppError not_found
 */
export const revokeSigningKey = async (ctx: Pick<PlatformCtx, 'log' | 'signingKeys'>, kid: string): Promise<void> => {
  await ctx.signingKeys.revoke(kid)
  ctx.log.warn('signing_key.revoked', { kid })
}
