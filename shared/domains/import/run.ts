// Imports the tenants of an AuthSec database, each in one transaction: all of it or nothing. New rows of a tenant that was imported before are added by key
// (reimport.ts).
import { isUniqueViolation } from '#db/engine/client'
import { asTenantId, atomically, directory, forTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findClientEntry, findDefaultClient, insertClient } from '#db/store/clients'
import { claimDomain, findDomainOwner, findVerifiedDomain } from '#db/store/domains'
import { addUsage, insertImported } from '#db/store/import'
import { findTenant, insertTenant, setTenantStatus, updateTenantSettings } from '#db/store/tenants'
import { findLivePermissions, putAdministrator } from '#db/store/users'
import { platformParty } from '#shared/domains/passkeys/platform'
import { seedTenant } from '#shared/domains/tenancy/seeds'
import { randomToken } from '#shared/kernel/random'
import { normaliseTenantDomain } from '#shared/kernel/tenant-domain'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import type { ImportContext } from './context.ts'
import { enrolImported } from './enrol.ts'
import { type FactorRules, readFactors } from './factors.ts'
import type { AddressRule } from './people.ts'
import { type Plan, planImport } from './plan.ts'
import { latestMoment, reimport } from './reimport.ts'
import { notesFor, type ReportLine, type ReportNotes, refusalsOnly } from './report.ts'
import { type Source, type SourceRow, type TenantRows, textField, uuidField } from './source.ts'
import { tenantsOf } from './tenant.ts'
import type { SourceKey } from './totp-seed.ts'

export type ImportOptions = {
  readonly dryRun: boolean
  readonly addresses: AddressRule
  /** Keys that open sealed seeds of authenticator apps. */
  readonly keys: readonly SourceKey[]
  /** The relying party of passkeys whose row has none. */
  readonly rpId?: string | undefined
  readonly report: (line: ReportLine) => void
}
export type ImportSummary = {
  readonly tenants: { readonly imported: number; readonly unchanged: number; readonly refused: number }
  readonly rows: Readonly<Record<ReportLine['action'], number>>
}

const SOURCE = 'authsec_import'

/** Rolls a dry run back. */
class DryRun extends Error {}

/** The domain was claimed after it was checked. */
class DomainTaken extends Error {}

/** Domains and client ids that earlier tenants of a dry run would take, with the tenant; a dry run stores none of them. */
type Claimed = Map<string, TenantId>

/** The tenant's domain and client ids that other tenants have here or in this run. */
const findTaken = async (ctx: ImportContext, tenantId: TenantId, rows: readonly SourceRow[], source: TenantRows, claimed: Claimed) => {
  const d = directory(ctx.db)
  const typed = textField(rows[0] ?? {}, 'tenant_domain', 300)?.toLowerCase()
  const domains = new Set<string>()
  for (const domain of [typed, typed === undefined ? undefined : normaliseTenantDomain(typed, ctx.config.TENANT_DOMAIN_SUFFIX)]) {
    if (domain === undefined) continue
    const owner = (await findDomainOwner(d, domain)) ?? claimed.get(domain)
    if (owner !== undefined && owner !== tenantId) domains.add(domain)
  }
  const clientIds = new Set<string>()
  for (const row of source.clients) {
    const id = uuidField(row, 'client_id')
    if (id === undefined) continue
    const owner = (await findClientEntry(d, id))?.tenantId ?? claimed.get(id)
    if (owner !== undefined && owner !== tenantId) clientIds.add(id)
  }
  return { domains, clientIds }
}

/** Which passkeys our pages accept: those of the platform and of the tenant's verified domains; a claimed domain's later. */
const factorRules = async (
  ctx: ImportContext,
  tenantId: TenantId,
  tenant: SourceRow,
  source: TenantRows,
  options: ImportOptions,
): Promise<FactorRules> => {
  const claimed = new Set([tenant, ...source.tenant_domains].flatMap((row) => [textField(row, 'tenant_domain', 300), textField(row, 'domain', 300)]))
  const here = new Set<string>([platformParty(ctx.config).id])
  for (const domain of claimed) {
    if (domain === undefined) continue
    const found = await findVerifiedDomain(directory(ctx.db), domain.toLowerCase())
    if (found?.tenantId === tenantId) here.add(domain.toLowerCase())
  }
  const own = new Set([...claimed].map((domain) => domain?.toLowerCase()))
  return {
    keys: options.keys,
    rpId: options.rpId,
    siteOf: (rpId) => (here.has(rpId) ? 'here' : own.has(rpId) ? 'claimed' : 'elsewhere'),
    now: ctx.clock.now(),
  }
}

const listAdministrators = async (t: TenantTx, ctx: ImportContext, { rows }: Plan, now: Date, notes: ReportNotes): Promise<void> => {
  const bound = new Set(rows.bindings.flatMap(({ userId }) => (userId === null || userId === undefined ? [] : [userId])))
  let usable = 0
  for (const user of rows.users) {
    if (!bound.has(user.id) || user.active === false || !(await findLivePermissions(t, user.id, now)).includes('admin:access')) continue
    usable += 1
    await putAdministrator(t, { emailHash: emailHash(ctx, user.email), userId: user.id, provedAt: user.emailVerifiedAt ?? null })
  }
  if (usable === 0) notes.taken('tenants', t.tenantId, 'without_administrator')
}

const write = async (t: TenantTx, ctx: ImportContext, plan: Plan, notes: ReportNotes): Promise<void> => {
  const { tenant, rows } = plan
  const at = ctx.clock.now()
  await insertTenant(t, { name: tenant.name, email: tenant.email, domain: tenant.domain, source: SOURCE, at })
  if (tenant.status === 'suspended') await setTenantStatus(t, 'suspended', at)
  const kind = tenant.isPlatformDomain ? ('platform_subdomain' as const) : ('custom' as const)
  const isClaimed = await claimDomain(t, { domain: tenant.domain, kind, isVerified: tenant.isPlatformDomain, createdAt: at })
  if (!isClaimed) throw new DomainTaken()
  await insertImported(t, rows)
  await seedTenant(t, ctx, at)
  await enrolImported(t, ctx, rows.users, plan.factors, plan.codesLost)
  const hasDefault = (await findDefaultClient(t)) !== undefined
  if (!hasDefault)
    await insertClient(t, { id: ctx.random.id(), name: 'Default client', isDefault: true, validFrom: at, createdAt: at, updatedAt: at })
  await addUsage(t, 'users', rows.users.length)
  await addUsage(t, 'clients', rows.clients.length + (hasDefault ? 0 : 1))
  await listAdministrators(t, ctx, plan, at, notes)
  const upTo = latestMoment(plan, at)
  if (upTo !== undefined) await updateTenantSettings(t, { ...(await findTenant(t))?.settings, importedUpTo: upTo.toISOString() }, at)
  const after = { ...Object.fromEntries(Object.entries(rows).map(([table, all]) => [table, all.length])), factors: plan.factors.length }
  await recordEvent(t, ctx, { event: 'tenant.imported', actor: bySystem, target: { type: 'tenant', id: t.tenantId }, after })
}

type Outcome = 'imported' | 'unchanged' | 'refused'

/** Returns the outcome; the notes report each row. */
const importTenant = async (
  ctx: ImportContext,
  source: Source,
  tenantId: TenantId,
  rows: readonly SourceRow[],
  options: ImportOptions,
  notes: ReportNotes,
  claimed: Claimed,
): Promise<Outcome> => {
  const t = forTenant(ctx.db, tenantId)
  const there = await findTenant(t)
  if (there !== undefined && there.source !== SOURCE) {
    notes.refused('tenants', tenantId, 'tenant_of_this_system')
    return 'refused'
  }
  const all = await source.tenantRows(tenantId)
  const taken = await findTaken(ctx, tenantId, rows, all, claimed)
  const plan = planImport(tenantId, rows, all, {
    suffix: ctx.config.TENANT_DOMAIN_SUFFIX,
    addresses: options.addresses,
    isDomainTaken: (domain) => taken.domains.has(domain),
    isClientTaken: (clientId) => taken.clientIds.has(clientId),
    newToken: () => randomToken(ctx.random),
    factors: await readFactors(all, await factorRules(ctx, tenantId, rows[0] ?? {}, all, options)),
    now: ctx.clock.now(),
    // For existing tenants only refusals are reported from the plan.
    notes: there === undefined ? notes : refusalsOnly(notes),
  })
  let added = 0
  try {
    await atomically(t, async (tx) => {
      if (there === undefined) await write(tx, ctx, plan, notes)
      else added = await reimport(tx, ctx, plan, notes)
      if (options.dryRun) throw new DryRun()
    })
  } catch (error) {
    if (error instanceof DryRun) {
      for (const name of [...(there === undefined ? [plan.tenant.domain] : []), ...plan.rows.clients.map(({ id }) => id)]) claimed.set(name, tenantId)
      return there === undefined || added > 0 ? 'imported' : 'unchanged'
    }
    if (!isUniqueViolation(error) && !(error instanceof DomainTaken)) throw error
    notes.refused('tenants', tenantId, 'in_conflict_nothing_was_kept')
    return 'refused'
  }
  return there === undefined || added > 0 ? 'imported' : 'unchanged'
}

const isSystem = (tenantId: string): boolean => tenantId === SYSTEM_TENANT

/**
 * Imports every tenant that is not here yet and reports every row. A dry run does the same and rolls back.
 * @throws Error on anything but a conflict; earlier tenants stay imported, and a repeated run skips them
 */
export const importAuthsec = async (ctx: ImportContext, source: Source, options: ImportOptions): Promise<ImportSummary> => {
  const tenants = { imported: 0, unchanged: 0, refused: 0 }
  const rows = { import: 0, adapt: 0, refuse: 0, unchanged: 0 }
  const reportAll = (notes: ReportNotes): void => {
    for (const line of notes.lines) {
      rows[line.action] += 1
      options.report(line)
    }
  }
  const orphanNotes = notesFor(null)
  const claimed: Claimed = new Map()
  for (const [id, own] of tenantsOf(await source.tenants())) {
    const notes = notesFor(id)
    // Rights over the platform cannot be imported.
    if (isSystem(id)) notes.refused('tenants', id, 'tenant_of_the_platform')
    tenants[isSystem(id) ? 'refused' : await importTenant(ctx, source, asTenantId(id), own, options, notes, claimed)] += 1
    reportAll(notes)
  }
  for (const { table, id } of await source.orphans()) orphanNotes.refused(table, id, 'without_tenant')
  for (const { table, rows: count, reason } of await source.leftOut()) if (count > 0) orphanNotes.refused(table, `${count} rows`, reason)
  reportAll(orphanNotes)
  return { tenants, rows }
}
