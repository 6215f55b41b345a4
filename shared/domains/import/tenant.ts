// Imports a tenant: its rows of `tenants` (AuthSec has one per administrator's address) become one, with a unique domain.
import type { ImportRows } from '#db/store/import'
import { normaliseEmail } from '#shared/kernel/email'
import { normaliseTenantDomain } from '#shared/kernel/tenant-domain'
import type { ReportNotes } from './report.ts'
import { flagField, momentField, type SourceRow, textField, uuidField } from './source.ts'

export type PlannedTenant = {
  readonly name: string
  readonly email: string | null
  readonly domain: string
  /** Below the platform's suffix, so that it needs no proof. */
  readonly isPlatformDomain: boolean
  readonly status: 'active' | 'suspended'
  readonly createdAt: Date
}

const byAge = (a: SourceRow, b: SourceRow): number =>
  (momentField(a, 'created_at')?.getTime() ?? 0) - (momentField(b, 'created_at')?.getTime() ?? 0) || String(a.id).localeCompare(String(b.id))

/** Groups rows by tenant. The first one names the tenant: its own row, else the oldest. */
export const tenantsOf = (rows: readonly SourceRow[]): ReadonlyMap<string, readonly SourceRow[]> => {
  const found = new Map<string, SourceRow[]>()
  for (const row of rows) {
    const id = uuidField(row, 'tenant_id') ?? uuidField(row, 'id')
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), row])
  }
  for (const [id, own] of found)
    found.set(
      id,
      own.toSorted((a, b) => Number(uuidField(b, 'id') === id) - Number(uuidField(a, 'id') === id) || byAge(a, b)),
    )
  return found
}

const HOST = /^(?=.{4,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/

/** The tenant's domain, or one made from its id when that is missing, unusable or taken. */
const domainOf = (tenantId: string, row: SourceRow, suffix: string, isTaken: (domain: string) => boolean) => {
  const had = textField(row, 'tenant_domain', 300)?.toLowerCase()
  const platform = had === undefined ? undefined : normaliseTenantDomain(had, suffix)
  const isFull = had !== undefined && HOST.test(had)
  const wanted = platform !== undefined && (platform === had || !had?.includes('.')) ? platform : isFull ? had : undefined
  if (wanted !== undefined && !isTaken(wanted))
    return { domain: wanted, isPlatformDomain: wanted === platform, reasons: wanted === had ? [] : ['domain_completed'] }
  const made = `t${tenantId.replaceAll('-', '').slice(-20)}.${suffix}`
  return { domain: made, isPlatformDomain: true, reasons: [wanted === undefined ? 'domain_unusable' : 'domain_taken'] }
}

export const planTenant = (
  tenantId: string,
  rows: readonly SourceRow[],
  { suffix, isTaken, now, notes }: { suffix: string; isTaken: (domain: string) => boolean; now: Date; notes: ReportNotes },
): PlannedTenant => {
  const [row = {}, ...others] = rows
  const { reasons, ...domain } = domainOf(tenantId, row, suffix, isTaken)
  notes.taken('tenants', uuidField(row, 'id') ?? null, ...reasons)
  for (const other of others) notes.taken('tenants', uuidField(other, 'id') ?? null, 'merged')
  const email = normaliseEmail(textField(row, 'email') ?? '') ?? null
  return {
    ...domain,
    name: textField(row, 'name', 200) ?? textField(row, 'username', 200) ?? domain.domain.split('.')[0] ?? tenantId,
    email,
    status: ['suspended', 'inactive', 'disabled'].includes(textField(row, 'status')?.toLowerCase() ?? '') ? 'suspended' : 'active',
    createdAt: momentField(row, 'created_at') ?? now,
  }
}

/** Domains that the tenant claims. Each must be proved here again, because AuthSec could mark unproved ones as verified. */
export const planDomains = (
  rows: readonly SourceRow[],
  own: string,
  newToken: () => string,
  now: Date,
  notes: ReportNotes,
): ImportRows['tenantDomains'] => {
  const seen = new Set<string>([own])
  return rows.toSorted(byAge).flatMap((row) => {
    const [id, domain] = [uuidField(row, 'id'), textField(row, 'domain', 253)?.toLowerCase()]
    if (id === undefined || domain === undefined || !HOST.test(domain)) {
      notes.refused('tenant_domains', id ?? null, 'domain_unusable')
      return []
    }
    if (seen.has(domain)) {
      notes.refused('tenant_domains', id, 'duplicate')
      return []
    }
    seen.add(domain)
    notes.taken('tenant_domains', id, ...(flagField(row, 'is_verified') ? ['must_be_proved_again'] : []))
    const createdAt = momentField(row, 'created_at') ?? now
    return [{ id, domain, kind: 'custom' as const, isVerified: false, verificationToken: newToken(), createdAt, updatedAt: now }]
  })
}
