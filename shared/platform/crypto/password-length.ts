/** Length of a new password in Unicode code points after NFC: minimum as the only factor, minimum with a second factor, maximum (NIST SP 800-63B). */
export const PASSWORD_LENGTH = { alone: 15, withSecondFactor: 10, most: 128 } as const
