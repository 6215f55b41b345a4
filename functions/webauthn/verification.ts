// Whether an authenticator's answer is what it has to be (WebAuthn Level 3 sections 7.1 and 7.2). Signatures and formats are the library's work, loaded when a
// ceremony ends; what it leaves open is judged here.
import type { WebAuthnCredential } from '@simplewebauthn/server'
import { algorithmOf } from '#shared/domains/passkeys/cose-key'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { Ceremony } from './challenge.ts'
import type { Assertion, Registered } from './credential.schema.ts'
import { ALGORITHMS, userHandleOf } from './options.ts'

/** Why an answer was not accepted: for the record, never for the caller. */
export class UnacceptableCredential extends Error {}

const library = () => import('@simplewebauthn/server')
type Library = Awaited<ReturnType<typeof library>>

const unlibrary = async <T>(work: (lib: Library) => Promise<T>): Promise<T> => {
  const lib = await library()
  return work(lib).catch((error: unknown) => {
    throw error instanceof UnacceptableCredential ? error : new UnacceptableCredential(error instanceof Error ? error.message : 'malformed')
  })
}

/** We are not framed: an answer that was given inside another site's page was not given to us. Browsers that do not say so are believed. */
const requireTopLevel = (clientDataJSON: string): void => {
  let data: unknown
  try {
    data = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
  } catch {
    throw new UnacceptableCredential('the client data is no JSON')
  }
  const { crossOrigin, topOrigin } = (data ?? {}) as { readonly crossOrigin?: unknown; readonly topOrigin?: unknown }
  if ((crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined)
    throw new UnacceptableCredential('it was answered inside another page')
}

/**
 * We ask for no attestation, so there is none, or the credential's own signature. Judged before the library is asked: it would fetch revocation lists from
 * addresses that a certificate names.
 */
const requireNoCertificate = async (attestationObject: string): Promise<number | undefined> => {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers')
  const object = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
  const [fmt, statement] = [object.get('fmt') as string, object.get('attStmt') as unknown]
  if (fmt === 'none') return undefined
  const alg = statement instanceof Map && !statement.has('x5c') ? (statement.get('alg') as unknown) : undefined
  if (fmt !== 'packed' || typeof alg !== 'number') throw new UnacceptableCredential('an attestation that was not asked for')
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

/** Section 7.1. @throws Unacceptable */
export const verifyRegistration = (answer: Registered, ceremony: Ceremony): Promise<NewCredential> =>
  unlibrary(async (lib) => {
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
    if (algorithm === undefined) throw new UnacceptableCredential('the key is not of its algorithm')
    if (attestedBy !== undefined && attestedBy !== algorithm) throw new UnacceptableCredential('the attestation is of another algorithm')
    if (info.credential.id !== answer.id) throw new UnacceptableCredential('the credential id is not the one that was made')
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

/** Section 7.2, but for the counter, which the store judges once the signature is known to be genuine. @throws Unacceptable */
export const verifyAssertion = (answer: Assertion, known: Known, ceremony: Ceremony): Promise<VerifiedAssertion> =>
  unlibrary(async (lib) => {
    requireTopLevel(answer.response.clientDataJSON)
    const { userHandle } = answer.response
    if (userHandle != null && userHandle !== userHandleOf(known.userId))
      throw new UnacceptableCredential('the passkey says it is somebody else\u2019s')
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
    if ((info.credentialDeviceType === 'multiDevice') !== known.backupEligible) throw new UnacceptableCredential('its eligibility for backup changed')
    return { signCount: info.newCounter, backedUp: info.credentialBackedUp, userVerified: info.userVerified }
  })
