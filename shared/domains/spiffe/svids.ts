// Issues SVIDs for registration entries: JWT-SVIDs, X.509-SVIDs and WIT-SVIDs. Each is signed first, and counts once its row and its audit event are
// committed.
import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, type JWK, SignJWT } from 'jose'
import { asTenantId, atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import type { RegistrationEntry } from '#db/store/registration-entries'
import { holdIssuable, insertSvid, type NewSvid, revokeSvid } from '#db/store/svids'
import type { BaseCtx } from '#shared/domains/context'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { type Actor, recordEvent } from '#shared/platform/audit/audit-log'
import type { Alg } from '#shared/platform/tokens/signing-key'
import { certificatePem, findCaBundle, issuerOfTenant } from './bundle.ts'
import { allowsAudience, DEFAULT_JWT_SECONDS, MAX_SVID_SECONDS } from './entries.ts'
import { isInTenantTrustDomain, parseSpiffeId } from './id.ts'
import type { WorkloadKey } from './keys.ts'
import { workloadSigner } from './signer.ts'

export type IssueCtx = Pick<BaseCtx, 'db' | 'clock' | 'random' | 'keyring' | 'config' | 'signingKeys'> & { readonly request?: RequestInfo }

/** A series of renewals: when its first token was issued, and the token that the next one replaces. */
export type SvidSeries = { readonly firstIssuedAt: Date; readonly replaces: string }

export type IssueOptions = {
  /** Who causes it; the audit event names it. */
  readonly actor: Actor
  /** Lifetime, shortened to what the entry allows. */
  readonly seconds?: number | undefined
  /** The attested process of an agent. */
  readonly instanceId?: string | undefined
  /** Runs in the transaction that makes the SVID count, before it: consumes what the SVID is issued for. When it throws, nothing is issued. */
  readonly within?: (t: TenantTx) => Promise<void>
}

const svidTarget = (id: string) => ({ type: 'svid', id })

type Recorded = Omit<NewSvid, 'firstIssuedAt'> & { readonly firstIssuedAt?: Date }
type Recording = {
  readonly row: Recorded
  readonly actor: Actor
  readonly details?: Readonly<Record<string, unknown>>
  readonly series?: SvidSeries | undefined
  readonly within: IssueOptions['within']
}

/** Ends the token that is renewed. Of two renewals of the same token one fails. @throws AppError invalid_token */
const endReplaced = async (t: TenantTx, ctx: IssueCtx, { replaces }: SvidSeries, actor: Actor): Promise<void> => {
  if (!(await revokeSvid(t, replaces, ctx.clock.now(), 'renewed'))) throw new AppError('invalid_token')
  await recordEvent(t, ctx, { event: 'svid.revoked', actor, target: svidTarget(replaces), after: { reason: 'renewed' } })
}

/**
 * Writes the SVID and its event, if its entry is as it was read, its agent may act, and its key was not revoked.
 * @throws AppError not_found, invalid_token
 */
const recordSvid = (
  ctx: IssueCtx,
  entry: RegistrationEntry,
  key: Pick<WorkloadKey, 'kid'> | undefined,
  { row, actor, details, series, within }: Recording,
) =>
  atomically(forTenant(ctx.db, asTenantId(entry.tenantId)), async (t) => {
    const held = await holdIssuable(t, entry.id, key?.kid ?? '', ctx.clock.now())
    const isUnchanged = held !== undefined && held.entry.spiffeId === entry.spiffeId && held.entry.validFrom.getTime() === entry.validFrom.getTime()
    if (!isUnchanged || !held.isAgentAuthorized || (key !== undefined && !held.isKeyValid)) throw new AppError('not_found')
    await within?.(t)
    if (series !== undefined) await endReplaced(t, ctx, series, actor)
    await insertSvid(t, { firstIssuedAt: series?.firstIssuedAt ?? row.issuedAt, ...row })
    const after = { kind: row.kind, spiffe_id: row.spiffeId, entry_id: row.entryId, expires_at: row.expiresAt.toISOString(), ...details }
    await recordEvent(t, ctx, { event: 'svid.issued', actor, target: svidTarget(row.id), after })
  })

const MAX_AUDIENCES = 10
const AUDIENCE = /^[\x21-\x7e]{1,400}$/

/** @throws AppError invalid_request, invalid_target */
export const requireAudience = (entry: RegistrationEntry, audience: readonly string[], always: readonly string[] = []): void => {
  if (audience.length === 0 || audience.length > MAX_AUDIENCES || !audience.every((one) => AUDIENCE.test(one) && one !== '*')) {
    throw new AppError('invalid_request', `audience: 1 to ${MAX_AUDIENCES} audiences`, { field: 'audience' })
  }
  if (!audience.every((one) => always.includes(one) || allowsAudience(entry, one))) {
    throw new AppError('invalid_target', 'The registration entry does not allow this audience.')
  }
}

/** Names of claims that callers cannot set: those of the standards, and those that grant something. */
const RESERVED = new Set(
  [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'cnf',
    'act',
    'azp',
    'client_id',
    'delegated_by',
    'user_id',
    'agent_id',
    'spiffe_id',
    'email',
    'sid',
  ]
    .concat(['role', 'roles', 'perms', 'permissions', 'scope', 'scopes', 'groups', 'admin', 'is_admin', 'tenant_id', 'workspace_id'])
    .concat(['acr', 'amr', 'auth_time', 'nonce', 'events', 'entitlements', 'authorization_details', 'may_act']),
)
/** The caller's claims without the reserved ones. */
export const customClaims = (claims: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(claims ?? {}).filter(([name]) => !RESERVED.has(name.toLowerCase())))

export type JwtSvidOptions = IssueOptions & {
  readonly audience: readonly string[]
  /** Audiences that need no entry. */
  readonly alwaysAllowed?: readonly string[]
  readonly alg?: Alg
  /** By default the issuer of the tenant. */
  readonly issuer?: string
  /** Lifetime where none is requested. */
  readonly defaultSeconds?: number
  readonly claims?: Readonly<Record<string, unknown>>
  readonly series?: SvidSeries
}
export type IssuedToken = {
  readonly id: string
  readonly token: string
  readonly spiffeId: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

const life = (requested: number | undefined, standard: number, most: number): number =>
  Math.max(1, Math.min(requested ?? standard, most, MAX_SVID_SECONDS))

const earlier = (a: Date, b: Date): Date => new Date(Math.min(a.getTime(), b.getTime()))
const endOf = (from: Date, seconds: number, series: SvidSeries | undefined): Date => {
  const end = secondsAfter(from, seconds)
  return series === undefined ? end : earlier(end, secondsAfter(series.firstIssuedAt, MAX_SVID_SECONDS))
}

/**
 * A JWT-SVID (JWT-SVID, section 3), always with `iss`, `iat`, `jti` and `kid`, which the workload identity federation of clouds requires.
 * Events: svid.issued, and svid.revoked for a renewal.
 * @throws AppError invalid_request, invalid_target, not_found, invalid_token
 */
export const issueJwtSvid = async (ctx: IssueCtx, entry: RegistrationEntry, options: JwtSvidOptions): Promise<IssuedToken> => {
  const { audience, series, actor, alg = 'RS256' } = options
  requireAudience(entry, audience, options.alwaysAllowed)
  const tenantId = asTenantId(entry.tenantId)
  const key = await workloadSigner(ctx, tenantId, 'jwt', alg)
  const [id, issuedAt] = [ctx.random.id(), ctx.clock.now()]
  const expiresAt = endOf(issuedAt, life(options.seconds, options.defaultSeconds ?? DEFAULT_JWT_SECONDS, entry.jwtSeconds), series)
  if (expiresAt <= issuedAt) throw new AppError('invalid_token')
  const token = await new SignJWT({
    ...options.claims,
    iss: options.issuer ?? issuerOfTenant(ctx.config, tenantId),
    sub: entry.spiffeId,
    aud: audience.length === 1 ? (audience[0] ?? '') : [...audience],
    iat: unixSeconds(issuedAt),
    exp: unixSeconds(expiresAt),
    jti: id,
    ...(entry.agentId === null ? {} : { agent_id: entry.agentId }),
  })
    .setProtectedHeader({ alg, kid: key.kid, typ: 'JWT' })
    .sign(key.signingKey)
  const row = { id, kind: 'jwt', spiffeId: entry.spiffeId, entryId: entry.id, instanceId: options.instanceId ?? null, kid: key.kid } as const
  await recordSvid(ctx, entry, key, { row: { ...row, issuedAt, expiresAt }, actor, series, details: { audience }, within: options.within })
  return { id, token, spiffeId: entry.spiffeId, issuedAt, expiresAt }
}

export type X509SvidOptions = IssueOptions & { /** PEM. */ readonly csr: string }
export type IssuedCertificate = {
  /** The serial number in hexadecimal. */
  readonly id: string
  readonly spiffeId: string
  /** PEM of the leaf certificate. */
  readonly certificate: string
  /** PEM of the authorities of the trust domain. */
  readonly bundle: string
  /** Thumbprint of its key. */
  readonly jkt: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

const CLOCK_MARGIN_SECONDS = 30

/** @throws AppError invalid_request: a certificate of the tenant's authority names ids of the tenant's trust domain only */
const requireOwnTrustDomain = (entry: RegistrationEntry): void => {
  const id = parseSpiffeId(entry.spiffeId)
  if (id === undefined || !isInTenantTrustDomain(asTenantId(entry.tenantId), id)) {
    throw new AppError('invalid_request', 'This SPIFFE id is outside the organisation\u2019s own trust domain, so it has JWT-SVIDs only.')
  }
}

/**
 * An X.509-SVID. The certificate request gives a key and nothing else. Never valid for longer than its authority.
 * Events: svid.issued.
 * @throws AppError invalid_request, not_found
 */
export const issueX509Svid = async (
  ctx: IssueCtx,
  entry: RegistrationEntry,
  { csr, actor, seconds, instanceId, within }: X509SvidOptions,
): Promise<IssuedCertificate> => {
  requireOwnTrustDomain(entry)
  const { createLeafCertificate, keyOfCsr, serialText } = await import('./x509.ts')
  const { publicKey, jkt } = await keyOfCsr(csr)
  const tenantId = asTenantId(entry.tenantId)
  const key = await workloadSigner(ctx, tenantId, 'x509', 'ES256')
  if (key.certificate === undefined || key.notAfter === null) throw new Error('A certificate authority has a certificate.')
  const [id, issuedAt] = [serialText(ctx.random.bytes(16)), ctx.clock.now()]
  const expiresAt = earlier(secondsAfter(issuedAt, life(seconds, entry.x509Seconds, entry.x509Seconds)), key.notAfter)
  const leaf = await createLeafCertificate({
    ca: { certificate: key.certificate, signingKey: key.signingKey },
    spiffeId: entry.spiffeId,
    publicKey,
    serial: id,
    notBefore: secondsAfter(issuedAt, -CLOCK_MARGIN_SECONDS),
    notAfter: expiresAt,
  })
  const bundle = (await findCaBundle(ctx, tenantId)) ?? ''
  const row = { id, kind: 'x509', spiffeId: entry.spiffeId, entryId: entry.id, instanceId: instanceId ?? null, kid: key.kid, jkt } as const
  await recordSvid(ctx, entry, key, { row: { ...row, issuedAt, expiresAt }, actor, within })
  return { id, spiffeId: entry.spiffeId, certificate: certificatePem(leaf), bundle, jkt, issuedAt, expiresAt }
}

const WORKLOAD_ALGS: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', Ed25519: 'EdDSA' }

/** The public members of a workload's key, with its algorithm. @throws AppError invalid_request */
const confirmationKey = (jwk: Readonly<Record<string, unknown>>): JWK => {
  const { kty, crv } = jwk
  const alg = typeof crv === 'string' ? WORKLOAD_ALGS[crv] : undefined
  try {
    if (alg === undefined || 'd' in jwk) throw new Error('no public key')
    const { x, y } = createPublicKey({ key: jwk as JWK, format: 'jwk' }).export({ format: 'jwk' })
    return { kty: String(kty), crv: String(crv), ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }), alg }
  } catch (cause) {
    throw new AppError('invalid_request', 'body.jwk: a public key on P-256, P-384 or Ed25519', { field: 'body.jwk' }, cause)
  }
}

export type WitSvidOptions = IssueOptions & { readonly jwk: Readonly<Record<string, unknown>> }

/**
 * A WIT-SVID, bound to the workload's key: without `aud`, and worthless without a proof by that key.
 * Events: svid.issued.
 * @throws AppError invalid_request, not_found
 */
export const issueWitSvid = async (
  ctx: IssueCtx,
  entry: RegistrationEntry,
  { jwk, actor, seconds, instanceId, within }: WitSvidOptions,
): Promise<IssuedToken> => {
  requireOwnTrustDomain(entry)
  const confirmation = confirmationKey(jwk)
  const key = await workloadSigner(ctx, asTenantId(entry.tenantId), 'wit', 'ES256')
  const [id, issuedAt] = [ctx.random.id(), ctx.clock.now()]
  const expiresAt = secondsAfter(issuedAt, life(seconds, DEFAULT_JWT_SECONDS, entry.jwtSeconds))
  const claims = { sub: entry.spiffeId, iat: unixSeconds(issuedAt), exp: unixSeconds(expiresAt), jti: id, cnf: { jwk: confirmation } }
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'wit+jwt' }).sign(key.signingKey)
  const jkt = await calculateJwkThumbprint(confirmation)
  const row = { id, kind: 'wit', spiffeId: entry.spiffeId, entryId: entry.id, instanceId: instanceId ?? null, kid: key.kid, jkt } as const
  await recordSvid(ctx, entry, key, { row: { ...row, issuedAt, expiresAt }, actor, within })
  return { id, token, spiffeId: entry.spiffeId, issuedAt, expiresAt }
}

/** Access tokens of AuthSec's identity plane live an hour. */
const ACCESS_TOKEN_SECONDS = 3600
export const ACCESS_TOKEN_TYPE = 'spire+jwt'

export type PlaneTokenOptions = IssueOptions & { readonly audience: readonly string[]; readonly issuer: string; readonly scope: string }

/**
 * An access token of AuthSec's identity plane for a workload, signed by the deployment's key. Events: svid.issued.
 * @throws AppError invalid_request, invalid_target, not_found
 */
export const issuePlaneToken = async (ctx: IssueCtx, entry: RegistrationEntry, options: PlaneTokenOptions): Promise<IssuedToken> => {
  const { audience, issuer, scope, actor } = options
  requireAudience(entry, audience, [issuer])
  const key = await ctx.signingKeys.signer('RS256')
  const [id, issuedAt] = [ctx.random.id(), ctx.clock.now()]
  const expiresAt = secondsAfter(issuedAt, ACCESS_TOKEN_SECONDS)
  const times = { iat: unixSeconds(issuedAt), exp: unixSeconds(expiresAt) }
  const { spiffeId, tenantId } = entry
  const claims = {
    iss: issuer,
    sub: spiffeId,
    aud: [...audience],
    ...times,
    jti: id,
    spiffe_id: spiffeId,
    tenant_id: tenantId,
    workspace_id: tenantId,
  }
  const token = await new SignJWT({ ...claims, claims: scope === '' ? {} : { scope } })
    .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: ACCESS_TOKEN_TYPE })
    .sign(key.key)
  const row = { id, kind: 'access_token', spiffeId, entryId: entry.id, instanceId: options.instanceId ?? null, kid: key.kid } as const
  await recordSvid(ctx, entry, undefined, { row: { ...row, issuedAt, expiresAt }, actor, details: { audience }, within: options.within })
  return { id, token, spiffeId, issuedAt, expiresAt }
}

/** Revokes an SVID in a transaction of the caller; false when it is unknown, expired or revoked. Events: svid.revoked. */
export const revokeSvidIn = async (t: TenantTx, ctx: IssueCtx, id: string, reason: string, actor: Actor): Promise<boolean> => {
  if (!(await revokeSvid(t, id, ctx.clock.now(), reason))) return false
  await recordEvent(t, ctx, { event: 'svid.revoked', actor, target: svidTarget(id), after: { reason } })
  return true
}
