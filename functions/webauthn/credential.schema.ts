// Credential JSON of browsers (`PublicKeyCredential.toJSON()`, WebAuthn Level 3 section 5.1), and the options that they get.
import * as z from 'zod'

const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\w-]+$/, 'must be base64url')

/** Section 4: at most 1023 bytes. */
const CredentialId = base64url(1364)
const Extensions = z.object({ credProps: z.object({ rk: z.boolean().nullish() }).nullish() })
const shared = {
  id: CredentialId,
  rawId: CredentialId,
  type: z.literal('public-key'),
  clientExtensionResults: Extensions.nullish(),
  authenticatorAttachment: z.string().max(64).nullish(),
}

export const Registered = z
  .object({
    ...shared,
    response: z.object({
      clientDataJSON: base64url(8192),
      attestationObject: base64url(65_536),
      transports: z.array(z.string().max(32)).max(16).nullish(),
    }),
  })
  .meta({ id: 'RegistrationCredential' })
export type Registered = z.output<typeof Registered>

export const assertionShape = {
  ...shared,
  response: z.object({
    clientDataJSON: base64url(8192),
    authenticatorData: base64url(8192),
    signature: base64url(8192),
    userHandle: base64url(128).nullish(),
  }),
}
export const Assertion = z.object(assertionShape).meta({ id: 'AuthenticationCredential' })
export type Assertion = z.output<typeof Assertion>

const Descriptor = z.object({ type: z.literal('public-key'), id: z.string(), transports: z.array(z.string()).optional() })

export const CreationOptions = z
  .object({
    publicKey: z.object({
      challenge: z.string(),
      rp: z.object({ id: z.string(), name: z.string() }),
      user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
      pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })),
      timeout: z.int(),
      excludeCredentials: z.array(Descriptor),
      authenticatorSelection: z.object({ residentKey: z.string(), requireResidentKey: z.boolean(), userVerification: z.string() }),
      attestation: z.literal('none'),
      extensions: z.object({ credProps: z.literal(true) }),
    }),
    /** Identifies the ceremony when it is finished without the cookie. */
    session_id: z.string(),
  })
  .meta({ id: 'CreationOptions' })

export const RequestOptions = z
  .object({
    publicKey: z.object({
      challenge: z.string(),
      rpId: z.string(),
      timeout: z.int(),
      allowCredentials: z.array(Descriptor),
      userVerification: z.string(),
    }),
    session_id: z.string(),
  })
  .meta({ id: 'RequestOptions' })
