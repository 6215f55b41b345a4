// A tenant's settings: which proofs are required, session lifetimes, recovery options. They apply at once: sessions that could not begin under them are
// ended.
import type * as z from 'zod'
import { forTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { listProviders } from '#db/store/providers'
import { listSamlProviders } from '#db/store/saml-providers'
import { revokeSessionsWhere, shortenSessions } from '#db/store/sessions'
import { type TenantSettings, updateTenantSettings } from '#db/store/tenants'
import { findPermissionHolders } from '#db/store/users'
import { requireTenant } from '#shared/domains/administration/people'
import { requireFullRole } from '#shared/domains/authority/access-change'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { findRecoveryOffers } from '#shared/domains/factors/recovery-offers'
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { isOriginOf } from '#shared/domains/federation/return-target'
import { samlProviderName } from '#shared/domains/federation/saml-providers'
import { notify } from '#shared/domains/notifications/notify'
import { DEFAULT_DEPTH } from '#shared/domains/oauth/supported'
import { allowsDirectSignUp, disclosesAccounts } from '#shared/domains/tenancy/compatibility'
import { QUOTAS } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import { requireStepUp } from '#shared/platform/http/step-up'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import { adminAcrOf } from '#shared/platform/principals/admin-acr'
import type { User } from '#shared/platform/principals/principal'
import { acrOf, atLeast } from '#shared/platform/tokens/acr'
import type { Ctx } from './group.ts'
import type { PatchSettings, Settings } from './settings.schema.ts'
import { isWeaker, type SettingChange, settingChanges } from './settings-change.ts'

export type SettingsResponse = z.output<typeof Settings>
type Patch = z.output<typeof PatchSettings>

const LONGEST_SESSION = 24 * 3600
const LEAST_RETENTION_DAYS = 90

/** The policy for registering clients is at /oauth/registration-policy. */
const decidedIn = ({ importedUpTo: _, clientRegistration: __, recovery = {}, quotas = {}, ...rest }: TenantSettings): string[] =>
  [
    ...Object.entries(rest).map(([name, value]) => [name, value] as const),
    ...Object.entries(recovery).map(([name, value]) => [`recovery.${name}`, value] as const),
    ...Object.keys(quotas).map((name) => [`quotas.${name}`, true] as const),
  ].flatMap(([name, value]) =>
    value === undefined ? [] : [name.startsWith('quotas.') ? name : name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)],
  )

/** The effective values, set by the tenant or by the deployment. */
const toResponse = (ctx: Pick<Ctx, 'config'>, tenantId: TenantId, settings: TenantSettings): SettingsResponse => {
  const offers = findRecoveryOffers({ settings })
  return {
    require_second_factor: settings.requireSecondFactor ?? false,
    admin_acr: (adminAcrOf(tenantId, settings.adminAcr) as SettingsResponse['admin_acr'] | undefined) ?? null,
    direct_sign_up: allowsDirectSignUp(ctx, { settings }),
    require_login_challenge: settings.requireLoginChallenge ?? false,
    passwordless_totp: settings.passwordlessTotp ?? false,
    recovery: { backup_codes: offers.backupCodes, administrator_pass: offers.administratorPass, waiting_days: offers.waitingDays ?? null },
    trust_factors_of: [...(settings.trustFactorsOf ?? [])].sort(),
    language: settings.language ?? null,
    ciba_number_matching: settings.cibaNumberMatching ?? false,
    ciba_discloses_accounts: settings.cibaDisclosesAccounts ?? disclosesAccounts(ctx),
    session_idle_seconds: settings.sessionIdleSeconds ?? ctx.config.SESSION_IDLE_SECONDS,
    session_absolute_seconds: Math.min(settings.sessionAbsoluteSeconds ?? ctx.config.SESSION_ABSOLUTE_SECONDS, LONGEST_SESSION),
    audit_retention_days: settings.auditRetentionDays ?? LEAST_RETENTION_DAYS,
    login_ui: settings.loginUi ?? null,
    delegation_depth: settings.delegationDepth ?? DEFAULT_DEPTH,
    quotas: { ...QUOTAS, ...settings.quotas },
    decided: decidedIn(settings).sort(),
  }
}
const tagged = (settings: SettingsResponse): HttpResult<SettingsResponse> => new HttpResult(settings, { headers: { ETag: etagOf(settings) } })

/** null restores the default; an absent member is unchanged. */
const decide = <T>(given: T | null | undefined, kept: T | undefined): T | undefined => (given === undefined ? kept : (given ?? undefined))

const decided = (before: TenantSettings, patch: Patch): TenantSettings => {
  const { recovery = {}, quotas = {} } = patch
  return {
    ...before,
    requireSecondFactor: decide(patch.require_second_factor, before.requireSecondFactor),
    adminAcr: decide(patch.admin_acr, before.adminAcr),
    directSignUp: decide(patch.direct_sign_up, before.directSignUp),
    requireLoginChallenge: decide(patch.require_login_challenge, before.requireLoginChallenge),
    passwordlessTotp: decide(patch.passwordless_totp, before.passwordlessTotp),
    recovery: {
      backupCodes: decide(recovery.backup_codes, before.recovery?.backupCodes),
      administratorPass: decide(recovery.administrator_pass, before.recovery?.administratorPass),
      waitingDays: decide(recovery.waiting_days, before.recovery?.waitingDays),
    },
    trustFactorsOf: decide(patch.trust_factors_of, before.trustFactorsOf),
    language: decide(patch.language, before.language),
    cibaNumberMatching: decide(patch.ciba_number_matching, before.cibaNumberMatching),
    cibaDisclosesAccounts: decide(patch.ciba_discloses_accounts, before.cibaDisclosesAccounts),
    sessionIdleSeconds: decide(patch.session_idle_seconds, before.sessionIdleSeconds),
    sessionAbsoluteSeconds: decide(patch.session_absolute_seconds, before.sessionAbsoluteSeconds),
    auditRetentionDays: decide(patch.audit_retention_days, before.auditRetentionDays),
    loginUi: decide(patch.login_ui, before.loginUi),
    delegationDepth: decide(patch.delegation_depth, before.delegationDepth),
    quotas: Object.fromEntries(
      Object.entries({ ...before.quotas, ...quotas }).flatMap(([name, most]) => (typeof most === 'number' ? [[name, most] as const] : [])),
    ),
  }
}

type Known = { readonly id: string; readonly name: string; readonly isActive: boolean }

/** The providers of the tenant and of the platform; an own one replaces the platform's of the same name. */
const findProviders = async (ctx: Ctx, tenantId: TenantId): Promise<readonly Known[]> => {
  const [t, platform] = [forTenant(ctx.db, tenantId), forTenant(ctx.db, SYSTEM_TENANT)]
  const rows = [...(await listProviders(t)), ...(tenantId === SYSTEM_TENANT ? [] : await listProviders(platform))]
  const saml = (await listSamlProviders(t)).map((row) => ({ id: row.id, name: samlProviderName(row), isActive: row.isActive }))
  return [...rows.map(({ id, providerName, isActive }) => ({ id, name: providerName, isActive })), ...saml]
}

/**
 * The ids of providers that are given by id or by name. A provider that is trusted for a second factor must exist and be active.
 * @throws AppError provider_not_enabled
 */
const requireProviders = (all: readonly Known[], given: readonly string[]): string[] =>
  given.map((one) => {
    const found = all.find(({ id }) => id === one) ?? all.find(({ name }) => name === one)
    if (found?.isActive !== true) throw new AppError('provider_not_enabled', undefined, { field: 'body.trust_factors_of' })
    return found.id
  })

/** With the ids of the providers in place of their names. @throws AppError provider_not_enabled */
const withIds = (all: readonly Known[], patch: Patch): Patch =>
  patch.trust_factors_of == null ? patch : { ...patch, trust_factors_of: [...new Set(requireProviders(all, patch.trust_factors_of))] }

/** @throws AppError redirect_refused */
const requireOwnFrontEnd = async (ctx: Ctx, tenantId: TenantId, origin: string | null | undefined): Promise<void> => {
  if (origin === null || origin === undefined || (await isOriginOf(ctx, origin, tenantId))) return
  throw new AppError('redirect_refused', undefined, { field: 'body.login_ui' })
}

/**
 * An administrator who requires more for sign-in, or trusts a provider less, must keep administrative access with the current session.
 * @throws AppError would_lock_out
 */
const requireStaysIn = (caller: User, before: SettingsResponse, after: SettingsResponse): void => {
  const distrusts = before.trust_factors_of.some((name) => !after.trust_factors_of.includes(name))
  const acr = distrusts && caller.amr.includes('fed') ? acrOf(caller.amr.filter((name) => name !== 'mfa')) : caller.acr
  const asksMore = distrusts || (after.require_second_factor && !before.require_second_factor) || after.admin_acr !== before.admin_acr
  const requiredAcr = after.require_second_factor && (after.admin_acr ?? 'aal1') === 'aal1' ? 'aal2' : (after.admin_acr ?? undefined)
  if (asksMore && !atLeast(acr, requiredAcr)) throw new AppError('would_lock_out', undefined, { extra: { acr_values: requiredAcr } })
}

/** Ends sessions that could not begin under the new settings, and shortens the others to the new lifetimes. */
const fitSessions = async (t: TenantTx, ctx: Ctx, caller: User, before: SettingsResponse, after: SettingsResponse): Promise<void> => {
  const at = ctx.clock.now()
  const { session_idle_seconds: idleSeconds, session_absolute_seconds: absoluteSeconds } = after
  if (idleSeconds < before.session_idle_seconds || absoluteSeconds < before.session_absolute_seconds)
    await shortenSessions(t, { idleSeconds, absoluteSeconds })
  const which = {
    oneFactor: after.require_second_factor && !before.require_second_factor,
    trusted: before.trust_factors_of.some((name) => !after.trust_factors_of.includes(name)),
    codeAlone: before.passwordless_totp && !after.passwordless_totp,
  }
  const ended = await revokeSessionsWhere(t, which, at, 'settings')
  if (ended === 0) return
  const target = { type: 'tenant', id: t.tenantId }
  await recordEvent(t, ctx, {
    event: 'sessions.revoked',
    actor: byUser(caller),
    target,
    subjectId: t.tenantId,
    after: { count: ended, by: 'settings' },
  })
}

/** A value for people: providers by name. */
const shown = (all: readonly Known[], value: unknown): string =>
  Array.isArray(value) ? value.map((one) => all.find(({ id }) => id === one)?.name ?? String(one)).join(', ') : String(value)

/** Notifies the other administrators of reduced protection and of who changed it. */
const notifyOthers = async (t: TenantTx, ctx: Ctx, caller: User, all: readonly Known[], weaker: readonly SettingChange[]) => {
  const changes = weaker.map(({ setting, before, after }) => ({ setting, before: shown(all, before), after: shown(all, after) }))
  for (const { id, email } of await findPermissionHolders(t, 'admin:access', ctx.clock.now()))
    if (id !== caller.userId) await notify(t, ctx, { to: email, subjectId: id, template: 'settings_weakened', data: { by: caller.email, changes } })
}

/** @throws AppError not_found */
export const readSettings = async (ctx: Ctx, tenantId: TenantId): Promise<HttpResult<SettingsResponse>> =>
  tagged(toResponse(ctx, tenantId, (await requireTenant(forTenant(ctx.db, tenantId))).settings))

/**
 * A change that reduces protection makes it easier to act as any person, administrators included, so it needs the whole administrator role, and a recent
 * sign-in with two factors.
 * @throws AppError precondition_required, precondition_failed, not_found, forbidden, provider_not_enabled, redirect_refused, would_lock_out,
 * cannot_grant, insufficient_user_authentication
 */
export const changeSettings = async (ctx: Ctx, caller: User, tenantId: TenantId, request: Patch): Promise<HttpResult<SettingsResponse>> => {
  const checkPrecondition = preconditionOf(ctx, 'required')
  if (request.quotas !== undefined && !isPlatformAdministrator(caller))
    throw new AppError('forbidden', 'Quotas are for platform administrators.', { field: 'body.quotas' })
  const providers = request.trust_factors_of === undefined ? [] : await findProviders(ctx, tenantId)
  const patch = withIds(providers, request)
  await requireOwnFrontEnd(ctx, tenantId, patch.login_ui)
  const settings = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const stored = (await requireTenant(t)).settings
    const next = decided(stored, patch)
    const [before, after] = [toResponse(ctx, tenantId, stored), toResponse(ctx, tenantId, next)]
    checkPrecondition(etagOf(before))
    const changes = settingChanges(before, after)
    const weaker = changes.filter(isWeaker)
    if (weaker.length > 0) {
      requireFullRole(grantable, 'reduce the protection of the tenant')
      requireStepUp(ctx, caller, { withinSeconds: STEP_UP_SECONDS, acr: 'aal2' })
    }
    if (tenantId === caller.tenantId) requireStaysIn(caller, before, after)
    await updateTenantSettings(t, next, ctx.clock.now())
    await fitSessions(t, ctx, caller, before, after)
    if (weaker.length > 0) await notifyOthers(t, ctx, caller, providers, weaker)
    await recordEvent(t, ctx, {
      event: 'tenant.settings_changed',
      actor: byUser(caller),
      target: { type: 'tenant', id: tenantId },
      subjectId: tenantId,
      before: Object.fromEntries(changes.map((change) => [change.setting, change.before])),
      after: Object.fromEntries(changes.map((change) => [change.setting, change.after])),
    })
    return after
  })
  ctx.wakeOutbox()
  return tagged(settings)
}
