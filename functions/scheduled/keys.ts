// Rotates signing keys with overlap, and re-encrypts data keys under the current master key.
import type { BaseCtx } from '#shared/domains/context'
import { job } from '#shared/platform/jobs/job'
import { rewrapKeys, rotateSigningKeys } from '#shared/platform/tokens/key-maintenance'

const DAY = 86_400

export const keyRotation = job<BaseCtx>({
  id: 'key-rotation',
  every: DAY,
  run: async (ctx) => ({ changed: (await rotateSigningKeys(ctx)).length }),
})

export const keyRewrap = job<BaseCtx>({
  id: 'key-rewrap',
  every: DAY,
  run: async (ctx) => {
    const { dataKeys, signingKeys } = await rewrapKeys(ctx)
    return { data_keys: dataKeys, signing_keys: signingKeys }
  },
})
