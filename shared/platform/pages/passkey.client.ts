// Passkeys on a page: registers, signs in (also by autofill), and removes deleted passkeys from password managers. Sends requests only to this origin
// and stores nothing. Runs on the page, so it imports nothing of the server.

type Json = Readonly<Record<string, unknown>>
export type CeremonyResult = { readonly ok: boolean; readonly code: string; readonly body: Json }
/** Paths of a ceremony's start and end, further members of its bodies, and a bearer token where there is one. */
export type Ceremony = { readonly begin: string; readonly finish: string; readonly body?: Json; readonly token?: string; readonly ticket?: string }

type Options<T> = { readonly publicKey: T; readonly session_id: string }
type Descriptor = { readonly type: 'public-key'; readonly id: string; readonly transports?: AuthenticatorTransport[] }
type Creation = Omit<PublicKeyCredentialCreationOptions, 'challenge' | 'user' | 'excludeCredentials'> & {
  readonly challenge: string
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly excludeCredentials: readonly Descriptor[]
}
type Request = Omit<PublicKeyCredentialRequestOptions, 'challenge' | 'allowCredentials'> & {
  readonly challenge: string
  readonly allowCredentials: readonly Descriptor[]
}

export const PASSKEY: Ceremony = { begin: '/authsec/webauthn/passkey/begin', finish: '/authsec/webauthn/passkey/finish' }

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
const text = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
const descriptors = (given: readonly Descriptor[]): PublicKeyCredentialDescriptor[] => given.map((one) => ({ ...one, id: bytes(one.id) }))

const TIMEOUT_MS = 30_000
const post = async (path: string, body: Json, { token, ticket }: Ceremony): Promise<CeremonyResult> => {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(ticket === undefined ? {} : { 'x-login-ticket': ticket }),
  }
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const answer = (await response.json()) as Json
    return { ok: response.ok, code: response.ok ? 'done' : String(answer.code ?? 'other'), body: answer }
  } catch {
    return { ok: false, code: 'offline', body: {} }
  }
}

/** Browser errors: `NotAllowedError` (refused or timed out), `InvalidStateError` (already registered), `AbortError`. */
const failed = (error: unknown): CeremonyResult => ({ ok: false, code: error instanceof DOMException ? error.name : 'other', body: {} })

/** Serialised by hand: not every browser with passkeys has `toJSON`. */
const written = (credential: PublicKeyCredential): Json => {
  const { response } = credential
  const shared = {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment,
  }
  const clientDataJSON = text(response.clientDataJSON)
  if (response instanceof AuthenticatorAttestationResponse) {
    const transports = 'getTransports' in response ? response.getTransports() : []
    return { ...shared, response: { clientDataJSON, attestationObject: text(response.attestationObject), transports } }
  }
  const { authenticatorData, signature, userHandle } = response as AuthenticatorAssertionResponse
  return {
    ...shared,
    response: {
      clientDataJSON,
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      ...(userHandle === null ? {} : { userHandle: text(userHandle) }),
    },
  }
}

export const isSupported = (): boolean => typeof PublicKeyCredential === 'function'
/** Whether the browser offers passkeys by autofill (`autocomplete="username webauthn"`). */
export const isConditionalSupported = async (): Promise<boolean> =>
  isSupported() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true

const finish = async (ceremony: Ceremony, session: string, credential: Credential | null): Promise<CeremonyResult> => {
  if (!(credential instanceof PublicKeyCredential)) return { ok: false, code: 'NotAllowedError', body: {} }
  const outcome = await post(ceremony.finish, { ...ceremony.body, session_id: session, credential: written(credential) }, ceremony)
  if (!outcome.ok) await forgetCredential(outcome.body.signal as UnknownCredential | undefined)
  return outcome
}

/** Creates a passkey and registers it. */
export const registerPasskey = async (ceremony: Ceremony): Promise<CeremonyResult> => {
  const begun = await post(ceremony.begin, ceremony.body ?? {}, ceremony)
  if (!begun.ok) return begun
  const { publicKey, session_id } = begun.body as unknown as Options<Creation>
  const { challenge, user, excludeCredentials, ...rest } = publicKey
  const options = {
    ...rest,
    challenge: bytes(challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: descriptors(excludeCredentials),
  }
  return navigator.credentials.create({ publicKey: options }).then((made) => finish(ceremony, session_id, made), failed)
}

let offered: AbortController | undefined

/**
 * Requests a passkey. `conditional` waits until one is chosen by autofill. A new call replaces the previous one, because a browser allows one such
 * request at a time.
 */
export const assertPasskey = async (ceremony: Ceremony = PASSKEY, mediation: 'optional' | 'conditional' = 'optional'): Promise<CeremonyResult> => {
  offered?.abort()
  const control = new AbortController()
  offered = control
  const begun = await post(ceremony.begin, ceremony.body ?? {}, ceremony)
  if (!begun.ok) return begun
  const { publicKey, session_id } = begun.body as unknown as Options<Request>
  const { challenge, allowCredentials, ...rest } = publicKey
  const options = { ...rest, challenge: bytes(challenge), allowCredentials: descriptors(allowCredentials) }
  return navigator.credentials
    .get({ publicKey: options, mediation, signal: control.signal })
    .then((shown) => finish(ceremony, session_id, shown), failed)
}

/** WebAuthn Level 3 section 5.1.10. Browsers without these signals keep their list unchanged. */
type Signals = {
  signalUnknownCredential?(of: { rpId: string; credentialId: string }): Promise<void>
  signalAllAcceptedCredentials?(of: { rpId: string; userId: string; allAcceptedCredentialIds: readonly string[] }): Promise<void>
  signalCurrentUserDetails?(of: { rpId: string; userId: string; name: string; displayName: string }): Promise<void>
}
const signals = (): Signals => (isSupported() ? (PublicKeyCredential as unknown as Signals) : {})
const quietly = async (sent: Promise<void> | undefined): Promise<void> => sent?.catch(() => undefined)

export type UnknownCredential = { readonly rp_id: string; readonly credential_id: string }
/** Removes a passkey that the server does not know from the password manager. */
export const forgetCredential = async (gone: UnknownCredential | undefined): Promise<void> => {
  if (gone !== undefined) await quietly(signals().signalUnknownCredential?.({ rpId: gone.rp_id, credentialId: gone.credential_id }))
}

export type AcceptedCredentials = {
  readonly rp_id: string
  readonly user_id: string
  readonly all_accepted_credential_ids: readonly string[]
  readonly name: string
  readonly display_name: string
}
/**
 * Keeps only the accepted passkeys in the password manager, with the account's current name. Takes `signals` from the list of passkeys or from a
 * removal.
 */
export const signalAccepted = async (accepted: readonly AcceptedCredentials[]): Promise<void> => {
  for (const { rp_id: rpId, user_id: userId, all_accepted_credential_ids, name, display_name } of accepted) {
    await quietly(signals().signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds: all_accepted_credential_ids }))
    await quietly(signals().signalCurrentUserDetails?.({ rpId, userId, name, displayName: display_name }))
  }
}
