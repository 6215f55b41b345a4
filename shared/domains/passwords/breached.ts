// Checks passwords against lists of breached ones (NIST SP 800-63B-4 section 3.1.1.2).

/** Always answers: an unavailable source is logged and never blocks a sign-up. */
export type BreachedPasswords = { has(password: string): Promise<boolean> }
