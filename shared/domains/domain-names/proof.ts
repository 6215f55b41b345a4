// What proves that a domain is an organisation's: a text record with the value that it was told.
import type { TxtAnswer } from '#shared/platform/dns/resolver'

export const txtName = (domain: string): string => `_authsec-challenge.${domain}`
export const txtValue = (token: string): string => `authsec-domain-verification=${token}`

export type ProofFailure = 'none' | 'unreachable' | 'mismatch'

/** Why an answer proves nothing; undefined when it does. Pure. */
export const checkProof = (answer: TxtAnswer, token: string): ProofFailure | undefined => {
  if (answer === 'none' || answer === 'unreachable') return answer
  return answer.includes(txtValue(token)) ? undefined : 'mismatch'
}
