// A provider with its client secret: from its row, or from the environment for the platform's.
import { SYSTEM_TENANT } from '#db/engine/tenant'
import type { BaseCtx } from '#shared/domains/context'
import type { Config } from '#shared/kernel/config'
import type { UpstreamClient } from './engine/engine.ts'
import { openProviderSecret } from './provider-secret.ts'
import { PRESET_NAMES, type Upstream } from './upstream.ts'

const secretIn = (config: Config, name: string): string | undefined => {
  const named = PRESET_NAMES[name]
  return named === undefined ? undefined : config[`${named}_CLIENT_SECRET`]
}

export const upstreamClientOf = async (ctx: Pick<BaseCtx, 'db' | 'config' | 'keyring'>, { row, peer, name }: Upstream): Promise<UpstreamClient> => {
  const fallback = row === undefined || row.tenantId === SYSTEM_TENANT ? secretIn(ctx.config, name) : undefined
  const own = row === undefined ? undefined : await openProviderSecret(ctx, row)
  return { ...peer, secret: own ?? fallback }
}
