// Composition root of the upgrade function. It has no HTTP path: the deployment invokes it once per release, before the other functions take traffic.
import { cloud } from '#shared/domains/composition/cloud'
import { ConfigError } from '#shared/kernel/config'
import { upgrade } from './upgrade.ts'

const base = await cloud(process.env)
if (base.config.DATABASE_OWNER_URL === undefined) throw new ConfigError('DATABASE_OWNER_URL: must be set')

export const handler = async (event: { readonly upgrade?: unknown }) => {
  if (typeof event?.upgrade !== 'string') throw new Error('Only the deployment invokes this function.')
  const done = await upgrade(base)
  await base.settle()
  return done
}
