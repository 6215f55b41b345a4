// The claims of a checked token as the resource server sees them, the same for both ways of checking.

/** An actor: the current one first, with the previous actor nested in it (RFC 8693 section 4.1). */
export type Actor = { readonly sub: string; readonly client_id?: string; readonly act?: Actor }

export type AccessToken = {
  /** The token itself, as presented. */
  readonly token: string
  /** The person on whose behalf the request is made, or the service itself where no person is involved. */
  readonly subject: string
  readonly clientId: string
  readonly tenantId: string
  readonly scopes: readonly string[]
  /** The actor, if it is not the subject. */
  readonly actor: Actor | undefined
  /** The granted authorization details (RFC 9396). */
  readonly authorizationDetails: readonly Readonly<Record<string, unknown>>[]
  /** When and how the person signed in; absent for tokens without a person. */
  readonly authentication: { readonly authTime: Date; readonly acr: string; readonly amr: readonly string[] } | undefined
  readonly expiresAt: Date
  /** Thumbprint of the key to which the token is bound (RFC 9449 section 6.1). */
  readonly jkt: string | undefined
  /** All claims. */
  readonly claims: Claims
}
export type Claims = Readonly<Record<string, unknown>>

/** Tolerated clock difference of the issuer for times in the future. Expiry has no tolerance. */
const CLOCK_TOLERANCE_SECONDS = 60

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0
const isObject = (value: unknown): value is Claims => typeof value === 'object' && value !== null && !Array.isArray(value)
const at = (seconds: number): Date => new Date(seconds * 1000)

const actorIn = (value: unknown): Actor | undefined | 'malformed' => {
  if (value === undefined) return undefined
  return isObject(value) && isText(value.sub) && actorIn(value.act) !== 'malformed' ? (value as unknown as Actor) : 'malformed'
}

const detailsIn = (value: unknown): readonly Claims[] | undefined => {
  if (value === undefined) return []
  return Array.isArray(value) && value.every((one) => isObject(one) && isText(one.type)) ? value : undefined
}

/** Undefined unless all required claims are present and the token is within its lifetime (RFC 9068 section 4). */
export const accessTokenOf = (token: string, claims: Claims, now: Date): AccessToken | undefined => {
  const { sub, client_id, tenant_id, scope, iat, exp, act, authorization_details, cnf, auth_time, acr, amr } = claims
  const seconds = now.getTime() / 1000
  if (!isText(sub) || !isText(client_id) || !isText(tenant_id) || typeof scope !== 'string') return undefined
  if (!isSeconds(iat) || !isSeconds(exp) || exp <= seconds || iat > seconds + CLOCK_TOLERANCE_SECONDS) return undefined
  const [actor, details] = [actorIn(act), detailsIn(authorization_details)]
  const jkt = isObject(cnf) ? cnf.jkt : undefined
  // An unknown confirmation method must not be ignored.
  if (actor === 'malformed' || details === undefined || (cnf !== undefined && !isText(jkt))) return undefined
  const isAuthenticated = isSeconds(auth_time) && isText(acr)
  return {
    token,
    subject: sub,
    clientId: client_id,
    tenantId: tenant_id,
    scopes: scope === '' ? [] : scope.split(' '),
    actor,
    authorizationDetails: details,
    authentication: isAuthenticated ? { authTime: at(auth_time), acr, amr: Array.isArray(amr) ? amr.filter(isText) : [] } : undefined,
    expiresAt: at(exp),
    jkt: isText(jkt) ? jkt : undefined,
    claims,
  }
}

/** The token if it is valid, otherwise undefined. @throws Away when that cannot be determined */
export type Check = (token: string) => Promise<AccessToken | undefined>
