// What a token says, to the resource server that it is for, however it was checked.

/** One who acted: the nearest first, whoever acted for whom below it (RFC 8693 section 4.1). */
export type Actor = { readonly sub: string; readonly client_id?: string; readonly act?: Actor }

export type AccessToken = {
  /** The token itself, as it was shown. */
  readonly token: string
  /** On whose behalf: a person, or the service itself where no person stands behind it. */
  readonly subject: string
  readonly clientId: string
  readonly tenantId: string
  readonly scopes: readonly string[]
  /** Who acts, when it is not the subject. */
  readonly actor: Actor | undefined
  /** Rich authorization requests (RFC 9396), as they were granted. */
  readonly authorizationDetails: readonly Readonly<Record<string, unknown>>[]
  /** When and how the person signed in; none where no person stands behind the token. */
  readonly authentication: { readonly authTime: Date; readonly acr: string; readonly amr: readonly string[] } | undefined
  readonly expiresAt: Date
  /** Thumbprint of the key that the token is bound to (RFC 9449 section 6.1). */
  readonly jkt: string | undefined
  /** All that it says. */
  readonly claims: Claims
}
export type Claims = Readonly<Record<string, unknown>>

/** How far ahead the issuer's clock may be. Expiry has no such grace. */
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

/** Undefined unless everything that a decision could stand on is there and in time (RFC 9068 section 4). */
export const accessTokenOf = (token: string, claims: Claims, now: Date): AccessToken | undefined => {
  const { sub, client_id, tenant_id, scope, iat, exp, act, authorization_details, cnf, auth_time, acr, amr } = claims
  const seconds = now.getTime() / 1000
  if (!isText(sub) || !isText(client_id) || !isText(tenant_id) || typeof scope !== 'string') return undefined
  if (!isSeconds(iat) || !isSeconds(exp) || exp <= seconds || iat > seconds + CLOCK_TOLERANCE_SECONDS) return undefined
  const [actor, details] = [actorIn(act), detailsIn(authorization_details)]
  const jkt = isObject(cnf) ? cnf.jkt : undefined
  // A confirmation that is not understood is not one that may be left out.
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

/** The token when it is good, undefined when it is not. @throws Away when that cannot be said */
export type Check = (token: string) => Promise<AccessToken | undefined>
