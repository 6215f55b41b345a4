// The groups that also run at the edge, in workerd, from the same code: discovery and keys, and the decision. Its drivers use only HTTP and WebSockets: Neon's,
// Upstash's, argon2id in WebAssembly. docs/decisions/041-edge.md explains why the other groups are left out.
import { openDb } from '#db/engine/client'
import { neonEngine } from '#db/engine/neon'
import { compose } from '#shared/domains/composition/compose'
import type { BaseCtx } from '#shared/domains/context'
import { systemClock } from '#shared/kernel/clock'
import { ConfigError, readConfig } from '#shared/kernel/config'
import { jsonLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { upstashCache } from '#shared/platform/cache/upstash'
import { argon2Wasm } from '#shared/platform/crypto/argon2-wasm'
import { passwordHash } from '#shared/platform/crypto/password-hash'
import { group, mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import type { Ctx as AccessCtx } from '../../functions/access/group.ts'
import { accessRoutes } from '../../functions/access/routes.ts'
import type { Ctx as WellknownCtx } from '../../functions/wellknown/group.ts'
import { wellknownRoutes } from '../../functions/wellknown/routes.ts'

type Environment = Readonly<Record<string, string | undefined>> & { /** A bridge in place of Neon, for tests. */ readonly NEON_BRIDGE?: string }

const open = async (env: Environment): Promise<BaseCtx> => {
  const config = readConfig(env, ['SMTP_URL'])
  const { DATABASE_URL: url, UPSTASH_REDIS_REST_URL: rest, UPSTASH_REDIS_REST_TOKEN: token } = config
  if (url === undefined) throw new ConfigError('DATABASE_URL: must be set')
  if (rest === undefined || token === undefined) throw new ConfigError('UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN: must be set')
  const clock = systemClock
  return compose({
    config,
    db: openDb(neonEngine({ url, isOpenedEachTime: true, ...(env.NEON_BRIDGE === undefined ? {} : { bridge: env.NEON_BRIDGE }) })),
    cache: upstashCache({ url: rest, token }, clock),
    secrets: environmentSecrets({ MASTER_KEYS: config.MASTER_KEYS, HASH_KEY: config.HASH_KEY }),
    passwords: passwordHash({ engine: argon2Wasm }),
    clock,
    random: systemRandom(clock),
    // biome-ignore lint/suspicious/noConsole: an isolate can only log to the console
    log: jsonLog((line) => console.log(line), clock.now),
    // No route at the edge sends mail.
    wakeOutbox: () => undefined,
  })
}

let started: Promise<ReturnType<typeof mount>> | undefined
const start = async (env: Environment): Promise<ReturnType<typeof mount>> => {
  const ctx = await open(env)
  return mount(ctx, [
    group<WellknownCtx>({ routes: wellknownRoutes, ctx, render: problem }),
    group<AccessCtx>({ routes: accessRoutes, ctx, render: problem }),
  ])
}

// biome-ignore lint/style/noDefaultExport: workerd requires it
export default {
  fetch: async (request: Request, env: Environment): Promise<Response> => {
    started ??= start(env)
    // Only the edge runtime states the caller's address; headers that a caller can send are ignored.
    const address = request.headers.get('cf-connecting-ip') ?? ''
    return (await started).fetch(request, { peer: { address, secure: new URL(request.url).protocol === 'https:' } })
  },
}
