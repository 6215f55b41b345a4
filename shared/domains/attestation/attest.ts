// Attestation: evidence about a workload becomes selectors, by the rules of the attestor that the caller names. Issuer, keys and audience come from the attestor,
// never from the evidence. A refusal names the failing check in the audit log alone.
import type { TenantDb, TenantTx } from '#db/engine/tenant'
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

export type Attestation = {
  readonly attested: Attested
  /**
   * Uses the evidence and records it, in the transaction of what is issued for it. Events: workload.attested.
   * @throws AppError attestation_failed
   */
  readonly use: (t: TenantTx) => Promise<void>
  /** The refusal for a caller whose evidence is good and who gets nothing for it. */
  readonly refusal: (check: EvidenceCheck) => AppError
}

/**
 * Verifies evidence, for a caller who has proved the key. Call it outside a transaction; the evidence is used by `use`.
 * @throws AppError attestation_failed, for every cause alike
 */
export const verifyAttestation = async (
  ctx: AttestationCtx & RequestCtx,
  t: TenantDb,
  { attestorId, evidence, jkt }: AttestationRequest,
): Promise<Attestation> => {
  const refusal = (check: EvidenceCheck): AppError => refused(t, attestorId, check)
  const attestor = await findAttestor(t, attestorId)
  // An attestor that does not exist names no tenant, so that guesses write to no tenant's audit log.
  if (attestor === undefined) throw new AppError('attestation_failed')
  if (!attestor.active) throw refusal('attestor')
  const presented = { attestor, evidence, jkt }
  const verdict = await verdictOf(() => verify(ctx, t, presented))
  if (!verdict.accepted) throw refusal(verdict.failed)
  const { attested } = verdict
  const use = async (tx: TenantTx): Promise<void> => {
    const failed = await useEvidence(ctx, tx, presented, attested)
    if (failed !== undefined) throw refusal(failed)
    await recordEvent(tx, ctx, {
      event: 'workload.attested',
      actor: byAnonymous,
      target: { type: 'attestor', id: attestorId },
      after: { kind: attestor.kind, selectors: attested.selectors, evidence_digest: attested.evidenceDigest, jkt },
    })
  }
  return { attested, use, refusal }
}
