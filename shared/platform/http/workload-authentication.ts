// Authenticates workloads by proof of possession of an X.509-SVID. Implemented in shared/domains/spiffe.
import { createHash } from 'node:crypto'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { Workload } from '#shared/platform/principals/principal'

export const SVID_PROOF = 'svid-proof'

export type WorkloadAuthentication = {
  /**
   * The workload whose X.509-SVID signed the request's SVID-Proof header. The proof covers the body, which the caller compares as soon as it is read.
   * @throws AppError unauthorized, invalid_token, not_found
   */
  authenticate(request: RequestInfo): Promise<Workload>
}

/** SHA-256 of a body in base64url: the claim `body_digest` of a proof. */
export const bodyDigest = (body: string): string => createHash('sha256').update(body).digest('base64url')

/** @throws AppError invalid_token when the proof is for another body */
export const requireProvedBody = (workload: Workload, body: string): void => {
  if (!constantTimeEqual(bodyDigest(body), workload.bodyDigest)) throw new AppError('invalid_token', 'The SVID-Proof is for another body.')
}
