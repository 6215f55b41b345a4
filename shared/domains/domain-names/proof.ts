// Proof that an organisation owns a domain: a TXT record with the value issued to it.
import type { TxtAnswer } from '#shared/platform/dns/resolver'

export const txtName = (domain: string): string => `_authsec-challenge.${domain}`
export const txtValue = (token: string): string => `authsec-domain-verification=${token}`

export type ProofFailure = 'none' | 'unreachable' | 'mismatch'

/** Why an answer does not prove the domain; undefined when it does. */
export const checkProof = (answer: TxtAnswer, token: string): ProofFailure | undefined => {
  if (answer === 'none' || answer === 'unreachable') return answer
  return answer.includes(txtValue(token)) ? undefined : 'mismatch'
}
