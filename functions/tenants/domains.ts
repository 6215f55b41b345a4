// Custom domains. Several tenants may claim a name, and claims expire. The tenant that proves it by DNS owns the name across all tenants.
import type * as z from 'zod'
import { atomically, directory, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import {
  claimDomain,
  countDomains,
  type Domain,
  deleteDomain,
  findDomain,
  findTenantByDomain,
  insertDomain,
  listDomains,
  lockDomains,
  markDomainVerified,
  recordDomainFailure,
  setPrimaryDomain,
} from '#db/store/domains'
import { lockIdentifiers } from '#db/store/resource-servers'
import { CLAIM_SECONDS } from '#shared/domains/domain-names/claim'
import { checkProof, type ProofFailure, txtName, txtValue } from '#shared/domains/domain-names/proof'
import { releaseIdentifiersOf } from '#shared/domains/domain-names/resource-identifiers'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { AuditEvent } from '#shared/platform/audit/events'
import { hostnameOf, isWithinDomain } from '#shared/platform/dns/hostname'
import { hasPermission, type User } from '#shared/platform/principals/principal'
import type { ChangedDomain, ClaimedDomain, DeletedDomain, DomainOut, Domains, OneDomain } from './domains.schema.ts'
import type { Ctx } from './group.ts'

const MOST_DOMAINS = 100
/** Released identifiers that the event names. */
const MOST_NAMED = 50

type Which = { readonly tenantId: TenantId; readonly domainId: string }

const since = (ctx: Pick<Ctx, 'clock'>): Date => secondsAfter(ctx.clock.now(), -CLAIM_SECONDS)

/** The proof is disclosed only to callers who may change domains. */
const toResponse = (row: Domain, caller: User): z.input<typeof DomainOut> => ({
  id: row.id,
  tenant_id: row.tenantId,
  domain: row.domain,
  kind: row.kind,
  is_primary: row.isPrimary,
  is_verified: row.isVerified,
  verification_method: 'dns_txt',
  ...(hasPermission(caller, 'admin:manage') ? { verification_token: row.verificationToken } : {}),
  ...(hasPermission(caller, 'admin:manage') && row.verificationToken !== ''
    ? { verification_txt_name: txtName(row.domain), verification_txt_value: txtValue(row.verificationToken) }
    : {}),
  ...(row.verifiedAt === null ? {} : { verified_at: row.verifiedAt.toISOString() }),
  ...(row.lastCheckedAt === null ? {} : { last_checked_at: row.lastCheckedAt.toISOString() }),
  ...(row.failureReason === null ? {} : { failure_reason: row.failureReason }),
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})

const noted = (t: TenantTx, ctx: Ctx, caller: User, event: AuditEvent, row: Domain, more: { before?: object; after?: object }): Promise<void> =>
  recordEvent(t, ctx, {
    event,
    actor: byUser(caller),
    target: { type: 'domain', id: row.id },
    ...(more.before ? { before: { domain: row.domain, ...more.before } } : {}),
    ...(more.after ? { after: { domain: row.domain, ...more.after } } : {}),
  })

/** @throws AppError invalid_request for a name that is not a host name, or belongs to the platform */
const claimable = (ctx: Ctx, text: string): string => {
  const domain = hostnameOf(text)
  const field = 'body.domain'
  if (domain === undefined) throw new AppError('invalid_request', `${field}: must be a domain that an organisation can own`, { field })
  const own = [ctx.config.TENANT_DOMAIN_SUFFIX, new URL(ctx.config.BASE_URL).hostname]
  if (own.some((name) => isWithinDomain(domain, name.toLowerCase())))
    throw new AppError('invalid_request', `${field}: belongs to the platform`, { field })
  return domain
}

/** @throws AppError invalid_request, domain_taken, domain_exists, domain_limit */
export const claimTenantDomain = async (ctx: Ctx, caller: User, tenantId: TenantId, text: string): Promise<z.input<typeof ClaimedDomain>> => {
  const domain = claimable(ctx, text)
  const holder = await findTenantByDomain(directory(ctx.db), domain)
  if (holder !== undefined && holder !== tenantId) throw new AppError('domain_taken', undefined, { field: 'body.domain' })
  const [id, at, token] = [ctx.random.id(), ctx.clock.now(), Buffer.from(ctx.random.bytes(32)).toString('hex')]
  const row = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    await lockDomains(t)
    const claimed = { id, domain, kind: 'custom' as const, verificationToken: token, createdBy: caller.userId, createdAt: at, updatedAt: at }
    if (!(await insertDomain(t, claimed, since(ctx)))) throw new AppError('domain_exists', undefined, { field: 'body.domain' })
    if ((await countDomains(t)) > MOST_DOMAINS) throw new AppError('domain_limit')
    const added = await findDomain(t, id, since(ctx))
    if (added === undefined) throw new Error('the domain was just added')
    await noted(t, ctx, caller, 'domain.claimed', added, { after: { is_verified: false } })
    return added
  })
  return {
    success: true,
    domain: toResponse(row, caller),
    verification: { method: 'dns_txt', txt_name: txtName(domain), txt_value: txtValue(token), token },
  }
}

export const showDomains = async (ctx: Ctx, caller: User, tenantId: TenantId): Promise<z.input<typeof Domains>> => {
  const rows = await listDomains(forTenant(ctx.db, tenantId), since(ctx))
  return { success: true, domains: rows.map((row) => toResponse(row, caller)), count: rows.length }
}

/** @throws AppError not_found, also for an expired claim */
const found = async (ctx: Ctx, { tenantId, domainId }: Which): Promise<Domain> => {
  const row = await findDomain(forTenant(ctx.db, tenantId), domainId, since(ctx))
  if (row === undefined) throw new AppError('not_found')
  return row
}

/** @throws AppError not_found */
export const showDomain = async (ctx: Ctx, caller: User, which: Which): Promise<z.input<typeof OneDomain>> => ({
  success: true,
  domain: toResponse(await found(ctx, which), caller),
})

const REASONS: Readonly<Record<ProofFailure, string>> = {
  none: 'There is no TXT record under that name.',
  unreachable: 'The name servers of the domain did not answer in time.',
  mismatch: 'There are TXT records under that name, none with the expected value.',
}

const failed = async (ctx: Ctx, caller: User, row: Domain, tenantId: TenantId, reason: ProofFailure): Promise<AppError> => {
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    await recordDomainFailure(t, row.id, reason, ctx.clock.now())
    await noted(t, ctx, caller, 'domain.verification_failed', row, { after: { reason } })
  })
  return new AppError('domain_unproved', undefined, { extra: { details: REASONS[reason] } })
}

/**
 * Assigns the name to the tenant, and with it the identifiers of resource servers there; of two concurrent verifications the first succeeds.
 * @throws AppError domain_already_verified, domain_taken
 */
const takeHold = (ctx: Ctx, caller: User, row: Domain, tenantId: TenantId): Promise<Domain> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    const at = ctx.clock.now()
    await lockIdentifiers(t, 'to prove a domain')
    const verified = await markDomainVerified(t, row.id, caller.userId, at)
    if (verified === undefined) throw new AppError('domain_already_verified')
    if (!(await claimDomain(t, { domain: row.domain, kind: 'custom', isVerified: true, createdAt: at }))) throw new AppError('domain_taken')
    const released = await releaseIdentifiersOf(t, ctx, row.domain)
    const after = { is_verified: true, ...(released.length === 0 ? {} : { released_identifiers: released.slice(0, MOST_NAMED) }) }
    await noted(t, ctx, caller, 'domain.verified', verified, { before: { is_verified: false }, after })
    return verified
  })

/**
 * Verifies a domain. The DNS lookup runs outside any transaction.
 * @throws AppError not_found, domain_already_verified, domain_unproved, domain_taken
 */
export const verifyTenantDomain = async (ctx: Ctx, caller: User, which: Which): Promise<z.input<typeof ChangedDomain>> => {
  const row = await found(ctx, which)
  if (row.isVerified) throw new AppError('domain_already_verified')
  const reason = checkProof(await ctx.resolver.txt(txtName(row.domain)), row.verificationToken)
  if (reason !== undefined) throw await failed(ctx, caller, row, which.tenantId, reason)
  const verified = await takeHold(ctx, caller, row, which.tenantId)
  ctx.wakeOutbox()
  return { success: true, message: 'Domain verified successfully', domain: toResponse(verified, caller) }
}

/** @throws AppError not_found, domain_not_verified */
export const makeDomainPrimary = async (ctx: Ctx, caller: User, { tenantId, domainId }: Which): Promise<z.input<typeof ChangedDomain>> => {
  const row = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const all = await lockDomains(t)
    const wanted = await findDomain(t, domainId, since(ctx))
    if (wanted === undefined) throw new AppError('not_found')
    if (!wanted.isVerified) throw new AppError('domain_not_verified')
    const changed = await setPrimaryDomain(t, domainId, caller.userId, ctx.clock.now())
    if (changed === undefined) throw new AppError('not_found')
    const before = all.find(({ isPrimary }) => isPrimary)?.domain ?? null
    await noted(t, ctx, caller, 'domain.made_primary', changed, { before: { primary: before }, after: { primary: changed.domain } })
    return changed
  })
  return { success: true, message: 'Primary domain updated successfully', domain: toResponse(row, caller) }
}

/** @throws AppError not_found, primary_domain, platform_domain */
export const removeTenantDomain = async (ctx: Ctx, caller: User, { tenantId, domainId }: Which): Promise<z.input<typeof DeletedDomain>> => {
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    await lockDomains(t)
    const row = await findDomain(t, domainId, since(ctx))
    if (row === undefined) throw new AppError('not_found')
    if (row.isPrimary) throw new AppError('primary_domain')
    if (row.kind === 'platform_subdomain') throw new AppError('platform_domain')
    await deleteDomain(t, row)
    await noted(t, ctx, caller, 'domain.deleted', row, { before: { is_verified: row.isVerified } })
  })
  return { success: true, message: 'Domain deleted successfully' }
}
