// Options for browsers (WebAuthn Level 3 sections 5.4 and 5.5).
import type * as z from 'zod'
import type { Passkey } from '#db/store/passkeys'
import type { User } from '#db/store/users'
import type { StartedCeremony, UserVerification } from './challenge.ts'
import type { CreationOptions, RequestOptions } from './credential.schema.ts'
import type { RelyingParty } from './relying-party.ts'

const TIMEOUT_MS = 60_000
/** COSE algorithms in our order of preference: ES256, EdDSA (Ed25519), RS256. */
export const ALGORITHMS = [-7, -8, -257] as const

/** The bytes of the user id's text form. */
export const userHandleOf = (userId: string): string => Buffer.from(userId).toString('base64url')

const descriptor = ({ credentialId, transports }: Passkey) => ({
  type: 'public-key' as const,
  id: credentialId,
  ...(transports.length === 0 ? {} : { transports }),
})

export const creationOptions = (
  { challenge, sessionId }: StartedCeremony,
  rp: RelyingParty,
  user: User,
  passkeys: readonly Passkey[],
): z.input<typeof CreationOptions> => ({
  publicKey: {
    challenge,
    rp: { id: rp.id, name: rp.name },
    user: { id: userHandleOf(user.id), name: user.email, displayName: user.name === '' ? user.email : user.name },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: TIMEOUT_MS,
    excludeCredentials: passkeys.filter(({ rpId }) => rpId === rp.id).map(descriptor),
    // Sign-in with only a passkey needs a discoverable credential; an authenticator without storage still works as a second factor.
    authenticatorSelection: { residentKey: 'preferred', requireResidentKey: false, userVerification: 'preferred' },
    attestation: 'none',
    extensions: { credProps: true },
  },
  session_id: sessionId,
})

export const requestOptions = (
  { challenge, sessionId }: StartedCeremony,
  given: { readonly rpId: string; readonly passkeys: readonly Passkey[]; readonly userVerification: UserVerification },
): z.input<typeof RequestOptions> => ({
  publicKey: {
    challenge,
    rpId: given.rpId,
    timeout: TIMEOUT_MS,
    allowCredentials: given.passkeys.map(descriptor),
    userVerification: given.userVerification,
  },
  session_id: sessionId,
})
