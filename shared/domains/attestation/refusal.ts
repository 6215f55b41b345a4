// Why evidence is refused: for the audit log and for administrators, never for the caller that presents it.

/** The checks of all methods. `rule.<name>`: the attestor's own rule for that name. */
export type EvidenceCheck =
  | 'attestor'
  | 'size'
  | 'encoding'
  | 'header'
  | 'type'
  | 'critical'
  | 'algorithm'
  | 'kid'
  | 'key'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expiry'
  | 'lifetime'
  | 'issued_at'
  | 'not_before'
  | 'pinned_key'
  | 'claims'
  | 'rules'
  | 'event'
  | 'subject'
  | 'pod'
  | 'token_review'
  | 'account'
  | 'principal'
  | 'tenant'
  | 'region'
  | 'headers'
  | 'request_date'
  | 'credential_scope'
  | 'signed_headers'
  | 'sts'
  | 'sts_reply'
  | 'trust_domain'
  | 'bundle'
  | 'chain'
  | 'validity'
  | 'leaf'
  | 'client_auth'
  | 'revoked'
  | 'challenge'
  | 'join_token'
  | 'entry'
  | `rule.${string}`

export class EvidenceRefusal extends Error {
  readonly check: EvidenceCheck
  constructor(check: EvidenceCheck, cause?: unknown) {
    super(check, { cause })
    this.name = 'EvidenceRefusal'
    this.check = check
  }
}

/** @throws EvidenceRefusal */
export const refuseEvidence = (check: EvidenceCheck, cause?: unknown): never => {
  throw new EvidenceRefusal(check, cause)
}
/** @throws EvidenceRefusal unless the condition holds */
export function requireEvidence(condition: boolean, check: EvidenceCheck): asserts condition {
  if (!condition) refuseEvidence(check)
}
