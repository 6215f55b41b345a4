// Authentication context class references: how strongly a person proved who they are (OpenID Connect Core section 2; NIST SP 800-63B-4 section 2).

/** One factor; two factors; two factors of which one resists phishing. */
export const ACR = ['aal1', 'aal2', 'aal3'] as const
export type Acr = (typeof ACR)[number]

const SECOND = new Set(['otp', 'sms', 'mfa', 'hwk', 'swk', 'pop'])
const PHISHING_RESISTANT = new Set(['hwk', 'swk', 'pop'])
/**
 * What a sign-in begins with: a password, or what another provider says (`fed`, a name of ours: RFC 8176 has none). A provider's word is one factor, whatever
 * was proved there, unless the tenant trusts it for more: then `mfa` stands beside it.
 */
const FIRST = new Set(['pwd', 'fed'])
/** What the person knows or is. A key alone, or with a touch (`user` is a presence test), is one factor: who holds it has it. */
const OF_THE_PERSON = new Set(['pwd', 'pin', 'fpt', 'face', 'iris', 'retina', 'vbm', 'mfa'])

const hasOne = (amr: readonly string[], of: ReadonlySet<string>): boolean => amr.some((name) => of.has(name))

/** From the factors that were proved, by their RFC 8176 names. */
export const acrOf = (amr: readonly string[]): Acr => {
  if (hasOne(amr, PHISHING_RESISTANT) && hasOne(amr, OF_THE_PERSON)) return 'aal3'
  return hasOne(amr, FIRST) && hasOne(amr, SECOND) ? 'aal2' : 'aal1'
}

/** Whether a context is at least as strong as the wanted one. An unknown context is weaker than any, an unknown demand is met by none. */
export const atLeast = (acr: string, wanted: string | undefined): boolean => {
  if (wanted === undefined) return true
  const [has, owes] = [ACR.indexOf(acr as Acr), ACR.indexOf(wanted as Acr)]
  return has >= 0 && owes >= 0 && has >= owes
}
