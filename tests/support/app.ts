// An app for tests: the real mount, a real Postgres engine, a fixed clock, captured mail. Tests create their own companies.

import { type Db, type Engine, openDb } from '#db/engine/client'
import { asTenantId, atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { type AuditFilter, findAuditEvents } from '#db/store/audit-events'
import { bindRole } from '#db/store/bindings'
import { ensurePermissions } from '#db/store/permissions'
import { ensureSystemRole } from '#db/store/roles'
import { useQuota } from '#db/store/tenants'
import { findUser, insertUser, putAdministrator } from '#db/store/users'
import { compose } from '#shared/domains/composition/compose'
import type { BaseCtx, RequestCtx } from '#shared/domains/context'
import { logoutTokenDelivery } from '#shared/domains/oauth/logout-token-delivery'
import { bundledBreachedPasswords } from '#shared/domains/passwords/bundled-list'
import { beginSession, mintToken as signToken } from '#shared/domains/sign-in/session'
import { createTenant } from '#shared/domains/tenancy/create-tenant'
import { QUOTAS } from '#shared/domains/tenancy/quotas'
import { ensureSystemTenant } from '#shared/domains/tenancy/system-tenant'
import { type Clock, fixedClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { bySystem } from '#shared/platform/audit/audit-log'
import type { Cache } from '#shared/platform/cache/cache'
import { memoryCache } from '#shared/platform/cache/memory'
import { redisCache } from '#shared/platform/cache/redis'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { loadPasswordHash } from '#shared/platform/crypto/load-password-hash'
import { localTxtResolver } from '#shared/platform/dns/local'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import type { FrameOptions } from '#shared/platform/http/frame'
import { group, mount } from '#shared/platform/http/mount'
import type { ErrorRenderer } from '#shared/platform/http/problem'
import type { MountableRoute } from '#shared/platform/http/route'
import { localMail } from '#shared/platform/outbox/mail/local'
import { sendDueMail } from '#shared/platform/outbox/outbox'
import { localPush } from '#shared/platform/outbox/push/local'
import { localSms } from '#shared/platform/outbox/sms/local'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import { testDb } from './database.ts'

export const TEST_START = '2026-03-02T09:00:00.000Z'
/** Long enough, and not on a list of leaked passwords. */
export const PASSWORD = 'correct-horse-battery-staple'
const SECRETS = { MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString('base64')}`, HASH_KEY: Buffer.alloc(32, 9).toString('base64') }

export type Company = {
  readonly tenantId: TenantId
  readonly clientId: string
  readonly domain: string
  readonly name: string
  readonly admin: Person
}
export type Person = { readonly id: string; readonly email: string; readonly password: string; readonly tenantId: TenantId }

/** Redis where the suite runs on services, with keys of the app's own; otherwise the embedded map. */
const testCache = (clock: Clock, id: string): Cache => {
  const url = process.env.TEST_REDIS_URL
  return url === undefined ? memoryCache(clock) : redisCache(url, clock, `test:${id}:`)
}

let passwordHashed: Promise<string> | undefined
/** Databases that contain the system tenant. */
const founded = new WeakSet<Engine>()

type Options = {
  readonly env?: Readonly<Record<string, string>>
  readonly render?: ErrorRenderer
  /** Members of the group's context in addition to the request's. */
  readonly extra?: Readonly<Record<string, unknown>>
  readonly start?: string
  /** Another database handle: a counting or an unavailable one. */
  readonly db?: Db
  /** Another cache: an unavailable one, or `by-clock`: one whose entries expire by the test's clock, even where the suite runs on Redis. */
  readonly cache?: Cache | 'by-clock'
  readonly mount?: FrameOptions
}

type Call = {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: string
  readonly address?: string
  /** Whether the request used TLS. */
  readonly secure?: boolean
}

/** Cookies as a browser keeps them. */
export const cookieJar = () => {
  const kept = new Map<string, string>()
  return {
    kept,
    take: (response: Response): void => {
      for (const line of response.headers.getSetCookie()) {
        const [pair = ''] = line.split(';')
        const at = pair.indexOf('=')
        if (/Max-Age=0/i.test(line)) kept.delete(pair.slice(0, at))
        else kept.set(pair.slice(0, at), pair.slice(at + 1))
      }
    },
    header: (): Readonly<Record<string, string>> =>
      kept.size === 0 ? {} : { cookie: [...kept].map(([name, value]) => `${name}=${value}`).join('; ') },
  }
}

/** Starts the routes of one group on this worker's database. */
export const startApp = async (routes: readonly MountableRoute<never>[], options: Options = {}) => {
  const clock = fixedClock(options.start ?? TEST_START)
  const random = systemRandom(clock)
  const log = memoryLog(() => clock.now())
  const db = options.db ?? openDb((await testDb()).engine)
  const config = readConfig({ ENVIRONMENT: 'test', RATE_LIMIT: 'off', ...SECRETS, ...options.env })
  const mail = localMail(clock)
  const dns = localTxtResolver()
  const passwords = await loadPasswordHash({})
  const cache = options.cache === 'by-clock' ? memoryCache(clock) : (options.cache ?? testCache(clock, random.id()))
  const base = await compose({
    config,
    db,
    cache,
    secrets: environmentSecrets({ ...SECRETS, ...options.env }),
    passwords,
    clock,
    random,
    log,
    wakeOutbox: () => undefined,
  })
  // A resolver without addresses: the network is off.
  const sms = localSms(clock)
  const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: config.OUTBOUND_LOOPBACK === 'on' })
  const push = localPush(clock)
  const ctx = { ...base, breached: bundledBreachedPasswords(), resolver: dns, outbound, sms, push, ...options.extra }
  if (!founded.has(db.engine)) await ensureSystemTenant(base)
  founded.add(db.engine)
  const app = mount(
    base,
    [group({ routes: routes as unknown as readonly MountableRoute<RequestCtx>[], ctx, ...(options.render ? { render: options.render } : {}) })],
    options.mount,
  )

  const request = async (path: string, call: Call = {}): Promise<Response> => {
    const { body, method = body === undefined ? 'GET' : 'POST' } = call
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
      ...call.headers,
    }
    const init = { method, headers, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) }
    return app.request(path, init, { peer: { address: call.address ?? '192.0.2.1', secure: call.secure ?? false } })
  }
  const sent = { ...base, request: testRequest }

  return {
    app,
    ctx: base,
    clock,
    cache,
    log,
    db,
    config,
    mail,
    /** Captured text messages. */
    sms,
    /** The DNS records that the app's routes see. */
    dns,
    request,
    /** Mails to an address in the order in which they were written, after the outbox was sent: several are sent concurrently and arrive in any order. */
    mailsTo: async (address: string) => {
      await sendDueMail({ ...base, mail, deliverLogoutToken: logoutTokenDelivery({ ...base, outbound }) })
      return mail.outbox.filter((message) => message.to === address).sort((a, b) => (a.messageId < b.messageId ? -1 : 1))
    },
    company: (label = 'acme') => newCompany(sent, label),
    person: (company: Company, grant: Grant = []) => newPerson(sent, company, grant),
    /** In the system tenant with the required second factor by default. */
    token: (person: Person, amr: readonly string[] = person.tenantId === SYSTEM_TENANT ? ['pwd', 'otp'] : ['pwd']) => tokenOf(sent, person, amr),
    /** Newest first. All tests share the system tenant's audit log: filter for the expected events. */
    events: (tenantId: TenantId, which: Omit<AuditFilter, 'limit'> = {}) => findAuditEvents(forTenant(db, tenantId), { ...which, limit: 10_000 }),
  }
}
export type TestApp = Awaited<ReturnType<typeof startApp>>

/** The context of test actors: not a route, so it may write any event. */
const testRequest: RequestCtx['request'] = {
  id: 'test',
  address: '192.0.2.1',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  method: 'GET',
  page: '/',
  origin: undefined,
  host: 'localhost',
  secure: false,
  place: '',
  route: 'test',
  emits: ['tenant.created', 'user.created', 'client.created', 'session.created', 'user.signed_in'],
  cookie: () => undefined,
  header: () => undefined,
}

const hashed = (ctx: BaseCtx): Promise<string> => {
  passwordHashed ??= ctx.passwords.hash(PASSWORD)
  return passwordHashed
}

/** A company with an administrator whose password is PASSWORD. */
const newCompany = async (ctx: RequestCtx, label: string): Promise<Company> => {
  const tenantId = asTenantId(ctx.random.id())
  const name = `${label}-${tenantId.slice(-12)}`
  const domain = `${name}.${ctx.config.TENANT_DOMAIN_SUFFIX}`
  const email = `admin@${name}.example`
  const passwordHash = await hashed(ctx)
  const created = await atomically(forTenant(ctx.db, tenantId), (t) =>
    createTenant(t, ctx, { name, domain, actor: bySystem, admin: { email, name: 'Ada Admin', passwordHash, provedAt: ctx.clock.now() } }),
  )
  return { tenantId, clientId: created.clientId, domain, name, admin: { id: created.userId, email, password: PASSWORD, tenantId } }
}

/** Permissions, or the tenant's whole `admin` role. */
export type Grant = 'admin' | readonly `${string}:${string}`[]

const newPerson = async (ctx: RequestCtx, company: Company, grant: Grant): Promise<Person> => {
  const id = ctx.random.id()
  const email = `person-${id.slice(-12)}@${company.name}.example`
  const at = ctx.clock.now()
  const passwordHash = await hashed(ctx)
  await atomically(forTenant(ctx.db, company.tenantId), async (t) => {
    await useQuota(t, 'users', QUOTAS.users)
    await insertUser(t, {
      id,
      clientId: company.clientId,
      email,
      emailVerifiedAt: at,
      name: 'Pat Person',
      passwordHash,
      provider: 'custom',
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    })
    if (grant.length === 0) return
    const permissionIds =
      grant === 'admin'
        ? []
        : await ensurePermissions(
            t,
            grant.map((name) => ({ id: ctx.random.id(), resource: name.split(':')[0] ?? '', action: name.split(':')[1] ?? '', description: '' })),
            at,
          )
    const roleId = await ensureSystemRole(t, {
      id: ctx.random.id(),
      name: grant === 'admin' ? 'admin' : `role-${id}`,
      description: '',
      permissionIds,
      at,
    })
    await bindRole(t, { id: ctx.random.id(), roleId, userId: id, at })
    if (grant === 'admin' || grant.includes('admin:access')) await putAdministrator(t, { emailHash: emailHash(ctx, email), userId: id, provedAt: at })
  })
  return { id, email, password: PASSWORD, tenantId: company.tenantId }
}

const tokenOf = async (ctx: RequestCtx, person: Person, amr: readonly string[]): Promise<string> => {
  const t = forTenant(ctx.db, person.tenantId)
  const user = await findUser(t, person.id)
  if (user === undefined) throw new Error('no such person')
  const startedSession = await atomically(t, (tx) => beginSession(tx, ctx, { user, clientId: undefined, amr, authTime: ctx.clock.now() }))
  return (await signToken(ctx, startedSession)).token
}
