// A proof of possession of a certificate's key: a JWS with the chain in `x5c`, signed over our challenge and the workload's key.
import { sha256 } from '#shared/platform/crypto/sha256'
import { type ChainChecks, type Leaf, verifyChain } from './certificate-chain.ts'
import { CHALLENGE_SECONDS, isChallenge } from './challenge.ts'
import { parseEvidence, requireAudience, requireHeader, requireSignature, requireTimes } from './evidence-jws.ts'
import { keyAudience } from './key-binding.ts'
import type { AttestationCtx, PresentedEvidence } from './method.ts'
import { requireEvidence } from './refusal.ts'

/** `typ` of the proof, so that no other JWS of the same key counts as one. */
export const CERTIFICATE_PROOF_TYPE = 'x509-pop+jwt'

type Checks = Omit<ChainChecks, 'now'>
export type CertificateProof = { readonly leaf: Leaf; readonly digest: Uint8Array; readonly expiresAt: Date }

/** @throws EvidenceRefusal */
export const verifyCertificateProof = async (
  ctx: AttestationCtx,
  { attestor, evidence, jkt }: PresentedEvidence,
  checks: Checks,
): Promise<CertificateProof> => {
  const jws = parseEvidence(evidence)
  const alg = requireHeader(jws, { algorithms: attestor.algorithms, types: [CERTIFICATE_PROOF_TYPE], certified: true })
  requireEvidence(jws.header.typ === CERTIFICATE_PROOF_TYPE, 'type')
  const leaf = verifyChain(jws.header.x5c, { ...checks, now: ctx.clock.now() })
  await requireSignature(evidence, leaf.key, alg)
  requireAudience(jws.payload, keyAudience(ctx, attestor.tenantId, jkt))
  requireEvidence(isChallenge(ctx, jws.payload.nonce), 'challenge')
  const expiresAt = requireTimes(jws.payload, ctx.clock.now(), attestor, CHALLENGE_SECONDS)
  return { leaf, digest: sha256(jws.signingInput), expiresAt }
}
