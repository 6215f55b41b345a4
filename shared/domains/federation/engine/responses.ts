// Parses untrusted documents of providers by hand.
const isText = (value: unknown): value is string => typeof value === 'string'
const textsIn = (value: unknown): readonly string[] | undefined => (Array.isArray(value) ? value.filter(isText) : undefined)

export const readJson = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch {
    return undefined
  }
}

/** The used members of OpenID Connect Discovery section 3. */
export type Metadata = {
  readonly issuer: string
  readonly authorization_endpoint: string | undefined
  readonly token_endpoint: string | undefined
  readonly userinfo_endpoint: string | undefined
  readonly jwks_uri: string | undefined
  readonly response_types_supported: readonly string[] | undefined
  readonly code_challenge_methods_supported: readonly string[] | undefined
  readonly authorization_response_iss_parameter_supported: boolean
}

/** Undefined when the document is not metadata. */
export const readMetadata = (body: Uint8Array): Metadata | undefined => {
  const reported = readJson(body)
  if (typeof reported !== 'object' || reported === null || !('issuer' in reported) || !isText(reported.issuer)) return undefined
  const members = reported as Readonly<Record<string, unknown>>
  const text = (name: string): string | undefined => (isText(members[name]) ? members[name] : undefined)
  return {
    issuer: reported.issuer,
    authorization_endpoint: text('authorization_endpoint'),
    token_endpoint: text('token_endpoint'),
    userinfo_endpoint: text('userinfo_endpoint'),
    jwks_uri: text('jwks_uri'),
    response_types_supported: textsIn(members.response_types_supported),
    code_challenge_methods_supported: textsIn(members.code_challenge_methods_supported),
    authorization_response_iss_parameter_supported: members.authorization_response_iss_parameter_supported === true,
  }
}

/** Whether a JWK could verify signatures: asymmetric and not restricted to another use. */
export const isSigningKey = (value: unknown): boolean => {
  const key = value as Readonly<Record<string, unknown>> | null
  if (typeof key !== 'object' || key === null) return false
  return ['RSA', 'EC', 'OKP'].includes(String(key.kty)) && (key.use === undefined || key.use === 'sig')
}
