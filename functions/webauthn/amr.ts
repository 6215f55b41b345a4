// Authentication method references of a passkey ceremony (RFC 8176).

/**
 * A key that can leave its device is software-secured (`swk`); one that cannot is hardware-secured (`hwk`), as reported without attestation.
 * `user` is user presence; user verification makes the passkey two factors (`mfa`).
 */
export const passkeyAmr = ({
  backupEligible,
  userVerified,
}: {
  readonly backupEligible: boolean
  readonly userVerified: boolean
}): readonly string[] => [backupEligible ? 'swk' : 'hwk', 'user', ...(userVerified ? ['mfa'] : [])]
