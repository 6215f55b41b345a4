// Checks the DNS record of every verified domain daily: domains change owners, and a former owner must not keep control of its people.

import { acrossTenants, atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type Domain, findProvedDomain, listProvedDomains, lockDomains, recordDomainProof, withdrawDomainProof } from '#db/store/domains'
import { findTenant } from '#db/store/tenants'
import { findPermissionHolders } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import { checkProof, type ProofFailure, txtName, txtValue } from '#shared/domains/domain-names/proof'
import { secondsAfter } from '#shared/kernel/clock'
import { type AuditCtx, bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import type { AuditEvent } from '#shared/platform/audit/events'
import type { TxtResolver } from '#shared/platform/dns/resolver'
import { type JobResult, job } from '#shared/platform/jobs/job'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'

type Deps = Pick<BaseCtx, 'db' | 'config' | 'random' | 'wakeOutbox'> & AuditCtx & { readonly resolver: TxtResolver }

const DAY = 24 * 3600
/** How long the record may be missing. */
const GRACE_SECONDS = 14 * DAY
/** A lookup at an unreachable name server takes nine seconds. */
const AT_ONCE = 20

type Outcome = 'proved' | 'unreachable' | 'missing' | 'lost' | 'gone'

const tell = async (t: TenantTx, ctx: Deps, { domain, verificationToken }: Domain, stage: 'missing' | 'lost', until: Date): Promise<void> => {
  const tenant = await findTenant(t)
  const data = { stage, domain, name: txtName(domain), value: txtValue(verificationToken), until }
  for (const { id, email, language } of await findPermissionHolders(t, 'admin:manage', ctx.clock.now()))
    await enqueueMail(t, ctx, {
      to: email,
      tenantName: displayTenantName(ctx, tenant),
      language: decidedLanguage(tenant, language),
      subjectId: id,
      template: 'domain_proof',
      data,
    })
}

const noted = (t: TenantTx, ctx: Deps, event: AuditEvent, { id, domain }: Domain, more: object): Promise<void> =>
  recordEvent(t, ctx, { event, actor: bySystem, target: { type: 'domain', id }, after: { domain, ...more } })

const found = async (t: TenantTx, ctx: Deps, row: Domain): Promise<Outcome> => {
  if (!(await recordDomainProof(t, row.id, undefined, ctx.clock.now()))) return 'gone'
  if (row.proofMissingSince !== null) await noted(t, ctx, 'domain.proof_found', row, {})
  return 'proved'
}

/** Notifies the administrators of the first failure; after the grace period it removes the verification. */
const missed = async (t: TenantTx, ctx: Deps, row: Domain, reason: ProofFailure): Promise<Outcome> => {
  const now = ctx.clock.now()
  const since = row.proofMissingSince ?? now
  const until = secondsAfter(since, GRACE_SECONDS)
  if (now >= until) {
    await withdrawDomainProof(t, row, reason, now)
    await noted(t, ctx, 'domain.proof_lost', row, { reason, missing_since: since.toISOString() })
    await tell(t, ctx, row, 'lost', now)
    return 'lost'
  }
  await recordDomainProof(t, row.id, { since, reason }, now)
  if (row.proofMissingSince !== null) return 'missing'
  await noted(t, ctx, 'domain.proof_missing', row, { reason, until: until.toISOString() })
  await tell(t, ctx, row, 'missing', until)
  return 'missing'
}

/** The DNS lookup runs outside any transaction. An unreachable name server does not mean that the record is gone. */
const check = async (ctx: Deps, tenantId: TenantId, domain: string): Promise<Outcome> => {
  const t = forTenant(ctx.db, tenantId)
  const request = await findProvedDomain(t, domain)
  if (request === undefined) return 'gone'
  const reason = checkProof(await ctx.resolver.txt(txtName(domain)), request.verificationToken)
  if (reason === 'unreachable') return reason
  return atomically(t, async (tx) => {
    const row = (await lockDomains(tx)).find(({ id, isVerified }) => id === request.id && isVerified)
    if (row === undefined) return 'gone'
    return reason === undefined ? found(tx, ctx, row) : missed(tx, ctx, row, reason)
  })
}

export const checkDomainProofs = async (ctx: Deps, stopBy: Date): Promise<JobResult> => {
  const result = { proved: 0, unreachable: 0, missing: 0, lost: 0, gone: 0 }
  for (let after = ''; ; ) {
    const page = await listProvedDomains(acrossTenants(ctx.db), after, AT_ONCE)
    const last = page.at(-1)
    if (last === undefined) return result
    if (ctx.clock.now() >= stopBy) return { ...result, stopped_early: 1 }
    for (const outcome of await Promise.all(page.map(({ tenantId, domain }) => check(ctx, tenantId, domain)))) result[outcome]++
    ctx.wakeOutbox()
    after = last.domain
  }
}

export const domainProofs = job<Deps>({ id: 'domain-proofs', every: DAY, run: checkDomainProofs })
