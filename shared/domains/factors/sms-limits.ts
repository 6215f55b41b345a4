// What text messages may cost: the countries they go to, and how many a number, a tenant and the deployment may send. Numbers that charge their callers would
// otherwise turn a sign-up form into money.
import { atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { CacheUnavailable } from '#shared/platform/cache/cache'
import type { LimitEntry } from '#shared/platform/http/limits'

const HOUR = 3600
const DAY = 24 * HOUR
/** Codes to one number in a day, over all tenants and people, so that it cannot be flooded through many accounts. */
const MOST_TO_NUMBER = 10
/** The same for whatever was exceeded: the answer does not tell how busy a tenant is. */
const RETRY_SECONDS = 900

/** Without a list every country is allowed; production requires one together with a provider. */
export const isAllowedCountry = ({ SMS_COUNTRY_PREFIXES: prefixes }: Pick<RequestCtx['config'], 'SMS_COUNTRY_PREFIXES'>, phone: string): boolean =>
  prefixes.length === 0 || prefixes.some((prefix) => phone.startsWith(prefix))

/** @throws AppError sms_number_refused, rate_limited */
export const requireNumberAllowed = async (ctx: Pick<RequestCtx, 'config' | 'limits' | 'hash'>, phone: string): Promise<void> => {
  if (!isAllowedCountry(ctx.config, phone)) throw new AppError('sms_number_refused')
  const key = `sms:${Buffer.from(ctx.hash('phone', phone)).toString('base64url').slice(0, 22)}`
  await ctx.limits.check([{ key, windowSeconds: DAY, max: MOST_TO_NUMBER, guardsCredential: true }])
}

type Scope = 'tenant' | 'deployment'

const isFirstInHour = async ({ cache }: Pick<RequestCtx, 'cache'>, name: string): Promise<boolean> => {
  try {
    return await cache.putIfAbsent(`sms-quota:${name}`, '1', HOUR)
  } catch (error) {
    if (error instanceof CacheUnavailable) return true
    throw error
  }
}

/** Each refusal is a line that the alarm counts; the audit log has one event an hour. */
const exceeded = async (ctx: RequestCtx, tenantId: TenantId, scope: Scope): Promise<AppError> => {
  ctx.log.warn('sms.quota_exceeded', { scope, tenant_id: tenantId })
  const owner = scope === 'tenant' ? tenantId : SYSTEM_TENANT
  if (await isFirstInHour(ctx, owner))
    await atomically(forTenant(ctx.db, owner), (t) => recordEvent(t, ctx, { event: 'sms.quota_exceeded', actor: bySystem, after: { scope } }))
  return new AppError('too_many_sms', undefined, { retryAfterSeconds: RETRY_SECONDS })
}

const isOver = (error: unknown): boolean => error instanceof AppError && (error.code === 'quota_exceeded' || error.code === 'rate_limited')

/**
 * Counts a message that is about to be sent. A refused one does not count, so that a quota is free again when its window has passed. Call it outside a
 * transaction. Routes that call this emit `sms.quota_exceeded`.
 * @throws AppError too_many_sms
 */
export const useSmsQuotas = async (ctx: RequestCtx, tenantId: TenantId): Promise<void> => {
  const ofDeployment = (windowSeconds: number, max: number): LimitEntry => ({ key: 'sms-deployment', windowSeconds, max, guardsCredential: true })
  const scopes: readonly (readonly [Scope, readonly LimitEntry[]])[] = [
    ['tenant', [await ctx.quotas.current(tenantId, 'smsPerHour'), await ctx.quotas.current(tenantId, 'smsPerDay')]],
    ['deployment', [ofDeployment(HOUR, ctx.config.SMS_PER_HOUR), ofDeployment(DAY, ctx.config.SMS_PER_DAY)]],
  ]
  for (const how of ['peek', 'check'] as const)
    for (const [scope, entries] of scopes)
      await ctx.limits[how](entries).catch(async (error: unknown) => {
        throw isOver(error) ? await exceeded(ctx, tenantId, scope) : error
      })
}
