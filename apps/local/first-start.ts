// The first start on a machine: a demo company, its administrator and the platform administrator with generated passwords, and the commands to try next.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asTenantId, atomically, directory, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { insertFactor } from '#db/store/factors'
import { hasCompany } from '#db/store/tenants'
import { invitePlatformAdministrator } from '#shared/domains/administration/platform-administrator'
import type { BaseCtx } from '#shared/domains/context'
import { storeTotpSeed } from '#shared/domains/factors/totp'
import { newSeed } from '#shared/domains/factors/totp-code'
import { createTenant } from '#shared/domains/tenancy/create-tenant'
import { ensurePlatformAdministrator, ensureSystemTenant } from '#shared/domains/tenancy/system-tenant'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'

const noteOf = (ctx: BaseCtx): string => join(ctx.config.DATA_DIR, 'first-start.txt')

const password = (ctx: BaseCtx): string => Buffer.from(ctx.random.bytes(15)).toString('base64url')

type Login = { readonly email: string; readonly password: string }

const demoCompany = async (ctx: BaseCtx): Promise<Login & { readonly clientId: string }> => {
  const login = { email: 'admin@acme.example', password: password(ctx) }
  const passwordHash = await ctx.passwords.hash(login.password)
  const created = await atomically(forTenant(ctx.db, asTenantId(ctx.random.id())), (t) =>
    createTenant(t, ctx, {
      name: 'Acme',
      domain: `acme.${ctx.config.TENANT_DOMAIN_SUFFIX}`,
      source: 'demo',
      actor: bySystem,
      admin: { email: login.email, name: 'Ada Acme', passwordHash, provedAt: ctx.clock.now() },
    }),
  )
  return { ...login, clientId: created.clientId }
}

/** The platform administrator always needs a second factor, so the first one gets an authenticator app whose key is printed. */
const enrolApp = async (ctx: BaseCtx, userId: string): Promise<string> => {
  const seed = newSeed(ctx.random, 20)
  await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const [factorId, at] = [ctx.random.id(), ctx.clock.now()]
    await insertFactor(t, { id: factorId, userId, kind: 'totp', name: 'First start', isPrimary: true, confirmedAt: at, createdAt: at })
    await storeTotpSeed(t, ctx, { factorId, userId, seed, deviceType: 'generic', lastStep: null })
    const target = { type: 'factor', id: factorId }
    const after = { kind: 'totp', name: 'First start' }
    await recordEvent(t, ctx, { event: 'factor.added', actor: bySystem, target, subjectId: userId, after })
  })
  return seed
}

const platformAdministrator = async (ctx: BaseCtx): Promise<Login & { readonly seed: string }> => {
  const login = { email: ctx.config.PLATFORM_ADMIN_EMAIL ?? 'platform@authsec.example', password: password(ctx) }
  const passwordHash = await ctx.passwords.hash(login.password)
  const { userId } = await ensurePlatformAdministrator(ctx, { email: login.email, name: 'Platform administrator', passwordHash, proved: true })
  return { ...login, seed: await enrolApp(ctx, userId) }
}

/** The password returns a login ticket; the code with the ticket returns the token. */
const platformLogin = (base: string, { email, password, seed }: Login & { readonly seed: string }): string => {
  const json = `-H 'content-type: application/json'`
  const transactionToken = `$(curl -s ${base}/authsec/uflow/login ${json} -d '${JSON.stringify({ email, password })}' | node -pe 'JSON.parse(require("fs").readFileSync(0)).login_ticket')`
  const body = `"{\\"email\\":\\"${email}\\",\\"totp_code\\":\\"$(npm run -s code -- ${seed})\\"}"`
  return `curl -s ${base}/authsec/uflow/auth/totp/login ${json} -H "x-login-ticket: ${transactionToken}" -d ${body}`
}

const story = (base: string, admin: Login & { readonly clientId: string }, platform: Login & { readonly seed: string }): string => {
  const credentials = JSON.stringify({ email: admin.email, password: admin.password })
  const login = `curl -s ${base}/authsec/uflow/auth/admin/login -H 'content-type: application/json' -d '${credentials}'`
  return `
  Demo company     Acme, its client id is ${admin.clientId}
  Administrator    ${admin.email}   ${admin.password}
  Platform         ${platform.email}   ${platform.password}
                   and a code: npm run -s code -- ${platform.seed}
                   (or type that key into an authenticator app)

  Overview         ${base}/local
  API              ${base}/docs
  Captured mail    ${base}/local/outbox

  Try:
    curl -s ${base}/authsec/uflow/health
    ${login}
    ${platformLogin(base, platform)}
    curl -s ${base}/account/sessions -H "authorization: Bearer $(${login} | node -pe 'JSON.parse(require("fs").readFileSync(0)).token')"
`
}

/** Returns the text to print. Later starts print where the note of the first start is. Production generates no accounts: the address in PLATFORM_ADMIN_EMAIL receives a link. */
export const firstStart = async (ctx: BaseCtx): Promise<string> => {
  await ensureSystemTenant(ctx)
  const invited = ctx.config.PLATFORM_ADMIN_EMAIL
  if (ctx.config.ENVIRONMENT === 'production') {
    if (invited !== undefined) await invitePlatformAdministrator(ctx, invited)
    return ''
  }
  if (await hasCompany(directory(ctx.db), SYSTEM_TENANT)) {
    return existsSync(noteOf(ctx)) ? `\n  Sign-in data of the demo company: ${noteOf(ctx)}\n` : '\n'
  }
  const text = story(ctx.config.BASE_URL, await demoCompany(ctx), await platformAdministrator(ctx))
  mkdirSync(ctx.config.DATA_DIR, { recursive: true, mode: 0o700 })
  writeFileSync(noteOf(ctx), text, { mode: 0o600 })
  return text
}

/** The note of the first start, for tools that sign in themselves. */
export const readNote = (dataDir: string): string | undefined => {
  const path = join(dataDir, 'first-start.txt')
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
