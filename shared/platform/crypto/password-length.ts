/** Lengths of a new password, in Unicode code points after NFC: where it is the only factor, where the tenant requires a second one, and at most (NIST SP 800-63B). */
export const PASSWORD_LENGTH = { alone: 15, withSecondFactor: 10, most: 128 } as const
