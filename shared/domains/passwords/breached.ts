// Whether a password stands in lists of leaked ones (NIST SP 800-63B-4 section 3.1.1.2).

/** Always answers: a source that is away leaves a line in the log and never keeps a person from signing up. */
export type BreachedPasswords = { has(password: string): Promise<boolean> }
