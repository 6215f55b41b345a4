// Verifies authenticator responses (WebAuthn Level 3 sections 7.1 and 7.2). The library, loaded on use, checks signatures and formats; this file checks what
// the library leaves open.
import type { WebAuthnCredential } from '@simplewebauthn/server'
import { algorithmOf } from '#shared/domains/passkeys/cose-key'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { Ceremony } from './challenge.ts'
import type { Assertion, Registered } from './credential.schema.ts'
import { ALGORITHMS, userHandleOf } from './options.ts'

/** Why a response was refused: for the log, never for the caller. */
export class UnacceptableCredential extends Error {}

const library = () => import('@simplewebauthn/server')
type Library = Awaited<ReturnType<typeof library>>

const withLibrary = async <T>(work: (lib: Library) => Promise<T>): Promise<T> => {
  const lib = await library()
  return work(lib).catch((error: unknown) => {
    throw error instanceof UnacceptableCredential ? error : new UnacceptableCredential(error instanceof Error ? error.message : 'malformed')
  })
}

/** Refuses a response given in a cross-origin frame, since our pages are not framed. Older browsers do not report it and are accepted. */
const requireTopLevel = (clientDataJSON: string): void => {
  let data: unknown
  try {
    data = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
  } catch {
    throw new UnacceptableCredential('the client data is not JSON')
  }
  const { crossOrigin, topOrigin } = (data ?? {}) as { readonly crossOrigin?: unknown; readonly topOrigin?: unknown }
  if ((crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined)
    throw new UnacceptableCredential('the response was given in a cross-origin frame')
}

/**
 * We request no attestation, so only none or a self attestation is accepted. Checked before the library is called, because it would fetch revocation lists from
 * URLs that a certificate names.
 */
const requireNoCertificate = async (attestationObject: string): Promise<number | undefined> => {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers')
  const object = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
  const [fmt, statement] = [object.get('fmt') as string, object.get('attStmt') as unknown]
  if (fmt === 'none') return undefined
  const alg = statement instanceof Map && !statement.has('x5c') ? (statement.get('alg') as unknown) : undefined
  if (fmt !== 'packed' || typeof alg !== 'number') throw new UnacceptableCredential('the attestation was not requested')
  return alg
}

export type NewCredential = {
  readonly credentialId: string
  readonly publicKey: Uint8Array
  readonly algorithm: number
  readonly signCount: number
  readonly aaguid: string
  readonly backupEligible: boolean
  readonly backedUp: boolean
  readonly userVerified: boolean
}

/** Section 7.1. @throws UnacceptableCredential */
export const verifyRegistration = (answer: Registered, ceremony: Ceremony): Promise<NewCredential> =>
  withLibrary(async (lib) => {
    requireTopLevel(answer.response.clientDataJSON)
    const attestedBy = await requireNoCertificate(answer.response.attestationObject)
    const { verified, registrationInfo: info } = await lib.verifyRegistrationResponse({
      response: answer as Parameters<Library['verifyRegistrationResponse']>[0]['response'],
      expectedChallenge: (challenge) => constantTimeEqual(challenge, ceremony.challenge),
      expectedOrigin: ceremony.origin,
      expectedRPID: ceremony.rpId,
      requireUserVerification: ceremony.userVerification === 'required',
      supportedAlgorithmIDs: [...ALGORITHMS],
    })
    if (!verified || info === undefined) throw new UnacceptableCredential('the attestation is not verified')
    const algorithm = await algorithmOf(info.credential.publicKey)
    if (algorithm === undefined) throw new UnacceptableCredential('the key does not match its algorithm')
    if (attestedBy !== undefined && attestedBy !== algorithm) throw new UnacceptableCredential('the attestation has another algorithm')
    if (info.credential.id !== answer.id) throw new UnacceptableCredential('the credential id is not the created one')
    return {
      credentialId: info.credential.id,
      publicKey: info.credential.publicKey,
      algorithm,
      signCount: info.credential.counter,
      aaguid: info.aaguid,
      backupEligible: info.credentialDeviceType === 'multiDevice',
      backedUp: info.credentialBackedUp,
      userVerified: info.userVerified,
    }
  })

type Known = {
  readonly userId: string
  readonly credentialId: string
  readonly publicKey: Uint8Array
  readonly backupEligible: boolean
}
export type VerifiedAssertion = { readonly signCount: number; readonly backedUp: boolean; readonly userVerified: boolean }

/** Section 7.2 except the counter, which the store compares after the signature is verified. @throws UnacceptableCredential */
export const verifyAssertion = (answer: Assertion, known: Known, ceremony: Ceremony): Promise<VerifiedAssertion> =>
  withLibrary(async (lib) => {
    requireTopLevel(answer.response.clientDataJSON)
    const { userHandle } = answer.response
    if (userHandle != null && userHandle !== userHandleOf(known.userId)) throw new UnacceptableCredential('the user handle is another person\u2019s')
    const credential: WebAuthnCredential = { id: known.credentialId, publicKey: new Uint8Array(known.publicKey), counter: 0 }
    const { verified, authenticationInfo: info } = await lib.verifyAuthenticationResponse({
      response: answer as Parameters<Library['verifyAuthenticationResponse']>[0]['response'],
      expectedChallenge: (challenge) => constantTimeEqual(challenge, ceremony.challenge),
      expectedOrigin: ceremony.origin,
      expectedRPID: ceremony.rpId,
      credential,
      requireUserVerification: ceremony.userVerification === 'required',
    })
    if (!verified) throw new UnacceptableCredential('the signature is wrong')
    if ((info.credentialDeviceType === 'multiDevice') !== known.backupEligible) throw new UnacceptableCredential('its backup eligibility changed')
    return { signCount: info.newCounter, backedUp: info.credentialBackedUp, userVerified: info.userVerified }
  })
