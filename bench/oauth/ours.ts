// The authorization server as it is served: all routes of its functions on one port. Rate limits are off: they cost cache round trips, which are measured elsewhere.
import type { IncomingMessage } from 'node:http'
import { serve } from '@hono/node-server'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { compose } from '#shared/domains/composition/compose'
import { systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { jsonLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { memoryCache } from '#shared/platform/cache/memory'
import { loadPasswordHash } from '#shared/platform/crypto/load-password-hash'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { group, mount } from '#shared/platform/http/mount'
import { authorizationServerError } from '#shared/platform/http/problem'
import { localPush } from '#shared/platform/outbox/push/local'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import { peerOf } from '../../apps/local/serving.ts'
import { oauthRoutes } from '../../functions/oauth/routes.ts'
import { wellknownRoutes } from '../../functions/wellknown/routes.ts'
import { ENV } from './env.ts'

export const serveOurs = async (url: string, ready: (port: number) => void): Promise<void> => {
  const clock = systemClock
  const ctx = await compose({
    config: readConfig(ENV),
    db: openDb(postgresEngine({ url })),
    cache: memoryCache(clock),
    secrets: environmentSecrets(ENV),
    passwords: await loadPasswordHash({}),
    clock,
    random: systemRandom(clock),
    log: jsonLog(
      () => undefined,
      () => clock.now(),
    ),
    wakeOutbox: () => undefined,
  })
  // A resolver without addresses: the benchmark makes no outbound requests.
  const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: false })
  const app = mount(ctx, [
    group({ routes: oauthRoutes, ctx: { ...ctx, outbound, push: localPush(clock) }, render: authorizationServerError }),
    group({ routes: wellknownRoutes, ctx }),
  ])
  serve(
    {
      fetch: (request, env) => {
        const { incoming } = env as { incoming?: IncomingMessage }
        return app.fetch(request, { peer: peerOf(incoming) })
      },
      port: 0,
      hostname: '127.0.0.1',
    },
    ({ port }) => ready(port),
  )
}
