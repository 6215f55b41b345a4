// All groups and jobs in one process: `npm run dev`. Each part is embedded unless its variable names a real one.

import { isOutOfSpace } from '#db/engine/client'
import { compose } from '#shared/domains/composition/compose'
import type { BaseCtx } from '#shared/domains/context'
import { logoutTokenDelivery } from '#shared/domains/oauth/logout-token-delivery'
import { breachedPasswords } from '#shared/domains/passwords/configured'
import { webhookSender } from '#shared/domains/webhooks/sender'
import { systemClock } from '#shared/kernel/clock'
import { type Config, ConfigError, deprecatedVariables, readConfig } from '#shared/kernel/config'
import { stdoutLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { loadPasswordHash } from '#shared/platform/crypto/load-password-hash'
import { systemTxtResolver } from '#shared/platform/dns/system'
import { tenantOutbound } from '#shared/platform/fetch/configured'
import { type MountedGroup, mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import { createRefusalAudit } from '#shared/platform/http/refusal-audit'
import { startJobs } from '#shared/platform/jobs/timers'
import { type OutboxSender, outboxSender } from '#shared/platform/outbox/outbox-sender'
import { configuredPush, sendsPushes } from '#shared/platform/outbox/push/configured'
import { localPush } from '#shared/platform/outbox/push/local'
import { traceOutbound } from '#shared/platform/trace/trace'
import { jobs } from '../../functions/scheduled/jobs.ts'
import { GROUPS } from '../groups.ts'
import { openCache, openDatabase, openMail, openSecrets, openSms, withBrowserPush, withPushKeys } from './drivers.ts'
import { firstStart } from './first-start.ts'
import { localRoutes } from './routes.ts'
import { listen } from './serving.ts'

const TRACE_FLUSH_MS = 5000

export type Running = {
  readonly ctx: BaseCtx
  /** The URL it listens on; the system chooses the port when PORT is 0. */
  readonly url: string
  /** Finishes running requests and releases all resources. Reports not ready for the given time first, and keeps answering meanwhile. */
  stop(noticeSeconds?: number): Promise<void>
}

type Environment = Readonly<Record<string, string | undefined>>

/** What COMPATIBILITY=authsec relaxes, one warning each. */
const RELAXED = [
  'prechecks disclose whether an account exists.',
  'end users sign in before they prove their address.',
  'backchannel requests are accepted from clients that prove nothing.',
  'a TOTP code alone signs in at clients that prove nothing, in tenants that allow passwordless TOTP.',
  'client assertions for the token endpoint are accepted.',
]

const warnings = (config: Config, env: Environment): readonly string[] => [
  ...deprecatedVariables(env),
  ...(config.COMPATIBILITY === 'authsec' ? RELAXED.map((what) => `COMPATIBILITY=authsec: ${what}`) : []),
  ...(config.OUTBOUND_LOOPBACK === 'on' ? ['OUTBOUND_LOOPBACK=on: tenants can reach ports of this machine.'] : []),
  ...(config.RATE_LIMIT === 'off' ? ['RATE_LIMIT=off: nothing slows down guessing.'] : []),
  ...(config.JWT_DEF_SECRET === undefined ? [] : ['JWT_DEF_SECRET is set: session tokens are signed with a shared secret.']),
]

/** Starts the whole system in this process. `print` receives the messages for the person who starts it. */
export const start = async (env: Environment, print: (text: string) => void): Promise<Running> => {
  const read = readConfig(env)
  const clock = systemClock
  const random = systemRandom(clock)
  const log = stdoutLog(() => clock.now())
  const parts = { config: read, clock, random, log }
  const db = await openDatabase(parts)
  const [cache, secrets, passwords] = [await openCache(parts), await openSecrets(parts), await loadPasswordHash({})]
  const config = await withPushKeys(read, secrets)
  let sender: OutboxSender | undefined
  const ctx = await compose({ ...parts, config, db, cache, secrets, passwords, wakeOutbox: () => sender?.wake() })
  const { mail: opened, captured } = openMail(parts)
  const mail = { send: traceOutbound(ctx.tracer, 'mail', opened.send) }
  const toTenants = tenantOutbound(ctx)
  sender = outboxSender({ ...ctx, mail, deliverLogoutToken: logoutTokenDelivery({ ...ctx, outbound: toTenants }) })
  const outbox = sender
  const webhooks = webhookSender({ ...ctx, outbound: toTenants })
  db.onCommit(webhooks.committed)
  const { sms, captured: texts } = openSms(ctx)
  const phones = sendsPushes({ config: read }) ? undefined : localPush(clock)
  const pushes = configuredPush({ ...ctx, outbound: toTenants })
  const all = {
    ...ctx,
    sms,
    capturedSms: texts && (() => texts.outbox),
    mail,
    push: phones === undefined ? pushes : withBrowserPush(phones, pushes),
    capturedPushes: phones && (async () => phones.outbox),
    outbound: toTenants,
    breached: breachedPasswords(ctx),
    resolver: systemTxtResolver(config.DNS_SERVERS),
    captured:
      captured &&
      (async () => {
        await outbox.idle()
        return captured.outbox
      }),
  }
  const local: MountedGroup[] = config.ENVIRONMENT === 'production' ? [] : [{ routes: localRoutes, ctx: all, render: problem }]
  const groups = GROUPS.map(({ routes, render }): MountedGroup => ({ routes, ctx: all, render }))
  const note = await firstStart(ctx)
  const refusals = createRefusalAudit(ctx)
  const { port, close } = await listen(mount(ctx, [...groups, ...local], { refusals }), ctx)
  const running = startJobs(all, jobs)
  const tracing = setInterval(() => void ctx.tracer.flush(), TRACE_FLUSH_MS).unref()
  outbox.wake()
  webhooks.wake()
  for (const warning of warnings(config, env)) log.warn('insecure_setting', { warning })
  print(`\n  authsec-serverless is ready: ${config.BASE_URL}\n  Sign in here: ${config.BASE_URL}/signin\n${note}`)
  return {
    ctx,
    url: `http://${config.HOST}:${port}`,
    stop: async (noticeSeconds = 0) => {
      await close(noticeSeconds)
      await refusals.settle(true)
      await running.stop()
      await webhooks.stop()
      clearInterval(tracing)
      await outbox.stop()
      await ctx.metrics.flush('now')
      await ctx.tracer.flush()
      await cache.close()
      await db.engine.close()
    },
  }
}

const EXPECTED = ['FolderLocked', 'FolderVersion', 'NoRoom']

/** One line for a failure that its reader can mend; otherwise where it happened. */
export const startFailure = (error: unknown): string => {
  if (error instanceof ConfigError || (error instanceof Error && EXPECTED.includes(error.name))) return error.message
  if (isOutOfSpace(error)) return 'The disk of the database or of DATA_DIR is full. Make room, and start again.'
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Runs until a signal ends it; a failed start prints one line. */
export const main = async (env: Readonly<Record<string, string | undefined>>): Promise<void> => {
  try {
    const running = await start(env, (text) => process.stdout.write(`${text}\n`))
    const { ENVIRONMENT, STOP_NOTICE_SECONDS } = running.ctx.config
    const stop = (): void => {
      running.stop(ENVIRONMENT === 'production' ? STOP_NOTICE_SECONDS : 0).then(
        () => process.exit(0),
        () => process.exit(1),
      )
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`)
    process.exit(1)
  }
}

if (process.argv[1]?.endsWith('apps/local/local.ts')) await main(process.env)
