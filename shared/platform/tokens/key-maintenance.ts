// Scheduled key maintenance, and the emergency revocation that an operator runs.
import type { PlatformCtx } from '#shared/platform/context'

/** Creates missing signing keys, and promotes and retires those that are due. Safe at any time on any number of instances. */
export const rotateSigningKeys = async (ctx: Pick<PlatformCtx, 'db' | 'log' | 'signingKeys'>): Promise<readonly string[]> => {
  const changed = await ctx.signingKeys.rotate(ctx.db)
  if (changed.length > 0) ctx.log.info('signing_keys.changed', { keys: changed.length })
  return changed
}

export type Rewrap = { readonly dataKeys: number; readonly signingKeys: number }

/**
 * Seals everything with the current master key, after which older keys can leave MASTER_KEYS. Readers and writers may run meanwhile.
 * @throws SealError when a value is sealed with a master key that is not in MASTER_KEYS; the others are done by then
 */
export const rewrapKeys = async (ctx: Pick<PlatformCtx, 'db' | 'keyring' | 'log' | 'signingKeys'>): Promise<Rewrap> => {
  const signingKeys = await ctx.signingKeys.rewrap(ctx.db)
  const dataKeys = await ctx.keyring.rewrapOfAllTenants(ctx.db)
  if (signingKeys + dataKeys > 0) ctx.log.info('keys.rewrapped', { signing_keys: signingKeys, data_keys: dataKeys })
  return { dataKeys, signingKeys }
}

/**
 * Emergency revocation: tokens signed with this key are refused at once here and within two seconds on other instances. Every person has to sign in
 * again.
 * @throws AppError not_found
 */
export const revokeSigningKey = async (ctx: Pick<PlatformCtx, 'log' | 'signingKeys'>, kid: string): Promise<void> => {
  await ctx.signingKeys.revoke(kid)
  ctx.log.warn('signing_key.revoked', { kid })
}
