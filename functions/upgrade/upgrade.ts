// Upgrades a deployment to this release before any of its functions takes traffic: the schema, the logins of the roles, the system tenant and its first
// administrator. Safe to run again: it adds only what is missing.
import { migrate } from '#db/migrations/migrate'
import { invitePlatformAdministrator } from '#shared/domains/administration/platform-administrator'
import type { BaseCtx } from '#shared/domains/context'
import { ensureSystemTenant } from '#shared/domains/tenancy/system-tenant'

export type Upgraded = { readonly applied: readonly number[]; readonly logins: readonly string[]; readonly administrator: string }

const ROLES = ['authsec_app', 'authsec_jobs'] as const
const literal = (text: string): string => `'${text.replaceAll("'", "''").replaceAll('\0', '')}'`

/** When a connection URL signs in as the role itself, the role gets the password of that URL, so the deployment can generate both. */
const setLogins = async ({ db, config }: Pick<BaseCtx, 'db' | 'config'>): Promise<readonly string[]> => {
  const urls = [config.DATABASE_URL, config.DATABASE_JOBS_URL].flatMap((text) => (text === undefined ? [] : [new URL(text)]))
  const set = ROLES.flatMap((role) => {
    const url = urls.find(({ username, password }) => username === role && password !== '')
    return url === undefined ? [] : [{ role, password: decodeURIComponent(url.password) }]
  })
  for (const { role, password } of set) await db.engine.script('login', `alter role ${role} login password ${literal(password)};`)
  return set.map(({ role }) => role)
}

/** Requires the owner's login. */
export const upgrade = async (ctx: BaseCtx): Promise<Upgraded> => {
  const applied = await migrate(ctx.db, ctx.clock.now())
  const logins = await setLogins(ctx)
  await ensureSystemTenant(ctx)
  const email = ctx.config.PLATFORM_ADMIN_EMAIL
  const administrator = email === undefined ? 'not named' : await invitePlatformAdministrator(ctx, email)
  ctx.log.info('upgrade.done', { applied: applied.length, logins: logins.join(), administrator })
  return { applied, logins, administrator }
}
