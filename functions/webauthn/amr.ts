// What a ceremony proved, by RFC 8176 names.

/**
 * A key that can leave its device is kept by software (`swk`); one that cannot is bound to hardware, as far as an authenticator without attestation is believed.
 * Somebody touched it (`user`); where the person was verified, it is two factors by itself (`mfa`).
 */
export const passkeyAmr = ({
  backupEligible,
  userVerified,
}: {
  readonly backupEligible: boolean
  readonly userVerified: boolean
}): readonly string[] => [backupEligible ? 'swk' : 'hwk', 'user', ...(userVerified ? ['mfa'] : [])]
