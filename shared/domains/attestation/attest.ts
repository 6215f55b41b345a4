// Attestation: evidence about a workload becomes selectors, by the rules of the attestor that the caller names. Issuer, keys and audience come from the attestor,
// never from the evidence. A refusal names the failing check in the audit log alone.
import { atomically, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { type Attestor, findAttestor, findPinnedKey, holdAttestor, pinEvidence } from '#db/store/attestors'
import type { RequestCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import { SKEW_SECONDS } from './evidence-jws.ts'
import { isThumbprint } from './key-binding.ts'
import type { AttestationCtx, Method, PresentedEvidence, VerifiedEvidence } from './method.ts'
import { METHODS } from './methods.ts'
import { type EvidenceCheck, EvidenceRefusal, requireEvidence } from './refusal.ts'
import { requireRules } from './rules.ts'

export type Attested = {
  readonly attestorId: string
  /** Sorted `type:value`. */
  readonly selectors: readonly string[]
  /** SHA-256 of what the signature of the evidence covers, in base64url. */
  readonly evidenceDigest: string
  readonly expiresAt: Date
  readonly entryId: string | undefined
}
export type Verdict = { readonly accepted: true; readonly attested: Attested } | { readonly accepted: false; readonly failed: EvidenceCheck }

const attestedBy = (attestor: Attestor, method: Method, verified: VerifiedEvidence): Attested => ({
  attestorId: attestor.id,
  selectors: [...new Set(method.selectors(verified.facts))].toSorted(),
  evidenceDigest: Buffer.from(verified.digest).toString('base64url'),
  expiresAt: verified.expiresAt,
  entryId: verified.entryId,
})

/** Evidence that works once is bound by its use. */
const isPinned = (attestor: Attestor): boolean => attestor.keyBinding === 'pinned' && METHODS[attestor.kind].consume === undefined

const verify = async (ctx: AttestationCtx, t: TenantDb, presented: PresentedEvidence): Promise<Attested> => {
  const { attestor, jkt } = presented
  const method = METHODS[attestor.kind]
  requireEvidence(isThumbprint(jkt), 'audience')
  const verified = await method.verify(ctx, t, presented)
  if (method.identifying !== undefined) requireRules(attestor.rules, verified.facts)
  return attestedBy(attestor, method, verified)
}

const digestOf = ({ evidenceDigest }: Attested): Uint8Array => Buffer.from(evidenceDigest, 'base64url')

const requireOwnKey = async (ctx: AttestationCtx, t: TenantDb, { attestor, jkt }: PresentedEvidence, attested: Attested): Promise<void> => {
  const pinned = isPinned(attestor) ? await findPinnedKey(t, digestOf(attested), ctx.clock.now()) : undefined
  requireEvidence(pinned === undefined || pinned === jkt, 'pinned_key')
}

const verdictOf = async (work: () => Promise<Attested>): Promise<Verdict> => {
  try {
    return { accepted: true, attested: await work() }
  } catch (error) {
    if (error instanceof EvidenceRefusal) return { accepted: false, failed: error.check }
    throw error
  }
}

/** Verifies evidence for a workload's key. Writes nothing: a caller that issues something uses `attest`. */
export const verifyEvidence = (ctx: AttestationCtx, t: TenantDb, presented: PresentedEvidence): Promise<Verdict> =>
  verdictOf(async () => {
    const attested = await verify(ctx, t, presented)
    await requireOwnKey(ctx, t, presented, attested)
    return attested
  })

/** Binds the evidence to the key, or uses it, in the transaction of what is issued for it. */
const useEvidence = async (
  ctx: AttestationCtx,
  t: TenantTx,
  presented: PresentedEvidence,
  attested: Attested,
): Promise<EvidenceCheck | undefined> => {
  const { attestor, jkt } = presented
  if (!(await holdAttestor(t, attestor.id, attestor.validFrom))) return 'attestor'
  const { consume } = METHODS[attestor.kind]
  if (consume !== undefined) return (await consume(ctx, t, presented)) ? undefined : 'join_token'
  if (!isPinned(attestor)) return undefined
  const key = await pinEvidence(t, { evidenceDigest: digestOf(attested), jkt, expiresAt: secondsAfter(attested.expiresAt, SKEW_SECONDS) })
  return key === jkt ? undefined : 'pinned_key'
}

export type AttestationRequest = {
  readonly attestorId: string
  readonly evidence: string
  /** RFC 7638 thumbprint of the key that the caller has proved. */
  readonly jkt: string
}

const refused = (t: TenantDb, attestorId: string, check: EvidenceCheck): AppError =>
  new AppError('attestation_failed', undefined, {
    refusal: { tenantId: t.tenantId, event: 'workload.attested', reason: check, target: { type: 'attestor', id: attestorId } },
  })

/**
 * Verifies evidence and runs `issue` in the transaction that uses it. The caller has proved the key. Routes that call this emit `workload.attested`.
 * @throws AppError attestation_failed, for every cause alike
 */
export const attest = async <T>(
  ctx: AttestationCtx & RequestCtx,
  t: TenantDb,
  { attestorId, evidence, jkt }: AttestationRequest,
  issue: (t: TenantTx, attested: Attested) => Promise<T>,
): Promise<T> => {
  const attestor = await findAttestor(t, attestorId)
  if (attestor?.active !== true) throw refused(t, attestorId, 'attestor')
  const presented = { attestor, evidence, jkt }
  const verdict = await verdictOf(() => verify(ctx, t, presented))
  if (!verdict.accepted) throw refused(t, attestorId, verdict.failed)
  const { attested } = verdict
  return atomically(t, async (tx) => {
    const failed = await useEvidence(ctx, tx, presented, attested)
    if (failed !== undefined) throw refused(t, attestorId, failed)
    await recordEvent(tx, ctx, {
      event: 'workload.attested',
      actor: byAnonymous,
      target: { type: 'attestor', id: attestorId },
      after: { kind: attestor.kind, selectors: attested.selectors, evidence_digest: attested.evidenceDigest, jkt },
    })
    return issue(tx, attested)
  })
}
