// Authentication context class references: the strength of a sign-in (OpenID Connect Core section 2; NIST SP 800-63B-4 section 2).

/** One factor; two factors; two factors of which one is phishing-resistant. */
export const ACR = ['aal1', 'aal2', 'aal3'] as const
export type Acr = (typeof ACR)[number]

const SECOND = new Set(['otp', 'sms', 'mfa', 'hwk', 'swk', 'pop'])
const PHISHING_RESISTANT = new Set(['hwk', 'swk', 'pop'])
/**
 * First factors: a password, or an assertion of another provider (`fed`, our own name, because RFC 8176 has none). A provider's assertion is one
 * factor, whatever was verified there, unless the tenant trusts it for more; then `mfa` is present as well.
 */
const FIRST = new Set(['pwd', 'fed'])
/** Knowledge and biometric factors. A key alone, or with a touch (`user` is a presence test), is one factor: possession. */
const KNOWLEDGE_OR_BIOMETRIC = new Set(['pwd', 'pin', 'fpt', 'face', 'iris', 'retina', 'vbm', 'mfa'])

const hasOne = (amr: readonly string[], of: ReadonlySet<string>): boolean => amr.some((name) => of.has(name))

/** The strength of the proved factors, given by their RFC 8176 names. */
export const acrOf = (amr: readonly string[]): Acr => {
  if (hasOne(amr, PHISHING_RESISTANT) && hasOne(amr, KNOWLEDGE_OR_BIOMETRIC)) return 'aal3'
  return hasOne(amr, FIRST) && hasOne(amr, SECOND) ? 'aal2' : 'aal1'
}

/**
 * Whether a context is at least as strong as the wanted one. An unknown context is weaker than any, and an unknown requirement is never satisfied.
 */
export const atLeast = (acr: string, wanted: string | undefined): boolean => {
  if (wanted === undefined) return true
  const [actual, required] = [ACR.indexOf(acr as Acr), ACR.indexOf(wanted as Acr)]
  return actual >= 0 && required >= 0 && actual >= required
}
