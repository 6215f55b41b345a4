// Issues and verifies session tokens. The token proves the identity; whether the session is live and what it may do is read from the store. A token
// is identified by its `jti`, never by its bytes, because ECDSA allows a second valid encoding of a signature.
import { compactVerify, SignJWT } from 'jose'
import { type Clock, unixSeconds } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import type { Random } from '#shared/kernel/random'
import { type Audience, fromWire, MAX_TOKEN_SECONDS, type SessionClaims, type SessionSubject, toWire } from './session-claims.ts'
import type { SigningKeys } from './signing-keys.ts'
import { type JwsHeader, MAX_TOKEN_LENGTH, objectIn, parseStrictJws } from './strict-jws.ts'
import { tokenDigest, VerifiedTokenCache } from './verified-token-cache.ts'

/** Explicit typing (RFC 8725 section 3.11): no other kind of token is accepted as a session token. */
export const SESSION_TOKEN_TYP = 'session+jwt'
/** Header of HS256 tokens, for deployments that share JWT_DEF_SECRET with their resource servers. */
const SHARED_KID = 'default'
const SHARED_TYP = 'JWT'

export type SessionGrant = SessionSubject & { readonly expiresAt: Date; readonly tokenId: string }
export type IssuedToken = { readonly token: string; readonly tokenId: string; readonly issuedAt: Date; readonly expiresAt: Date }

const audienceOf = (config: Config): Audience => ({ issuer: config.AUTH_EXPECT_ISS, audience: config.AUTH_EXPECT_AUD })

const sharedKeys = new WeakMap<Config, Promise<CryptoKey>>()
/** The shared secret as a key, when configured. */
const sharedKey = (config: Config): Promise<CryptoKey> | undefined => {
  if (config.JWT_DEF_SECRET === undefined) return undefined
  const known = sharedKeys.get(config)
  if (known !== undefined) return known
  const raw = new TextEncoder().encode(config.JWT_DEF_SECRET)
  const made = crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
  sharedKeys.set(config, made)
  return made
}

/**
 * Signs a token for a session. Do not call it inside a transaction. The token expires with the session and after at most 24 hours. It is signed with
 * JWT_DEF_SECRET when that is set, otherwise with the current ES256 key.
 */
export const issueSessionToken = async (ctx: VerifyDeps & { readonly random: Random }, grant: SessionGrant): Promise<IssuedToken> => {
  const issuedAt = ctx.clock.now()
  const expiresAt = new Date(1000 * Math.min(unixSeconds(grant.expiresAt), unixSeconds(issuedAt) + MAX_TOKEN_SECONDS))
  const { tokenId } = grant
  const jwt = new SignJWT(toWire({ ...grant, tokenId, issuedAt, expiresAt }, audienceOf(ctx.config)))
  const shared = await sharedKey(ctx.config)
  if (shared !== undefined) {
    return { token: await jwt.setProtectedHeader({ alg: 'HS256', kid: SHARED_KID, typ: SHARED_TYP }).sign(shared), tokenId, issuedAt, expiresAt }
  }
  const { kid, key } = await ctx.signingKeys.signer('ES256')
  return { token: await jwt.setProtectedHeader({ alg: 'ES256', kid, typ: SESSION_TOKEN_TYP }).sign(key), tokenId, issuedAt, expiresAt }
}

type VerifyDeps = { readonly config: Config; readonly clock: Clock; readonly signingKeys: SigningKeys }

/** The only key that may have signed a token with this header. `kid` selects the key, and the key determines the algorithm and the type. */
const keyFor = async ({ config, signingKeys }: VerifyDeps, { alg, kid, typ }: JwsHeader): Promise<CryptoKey | undefined> => {
  const shared = sharedKey(config)
  if (shared !== undefined) return kid === SHARED_KID && alg === 'HS256' && typ === SHARED_TYP ? shared : undefined
  if (alg !== 'ES256' || typ !== SESSION_TOKEN_TYP) return undefined
  const verifier = await signingKeys.verifier(kid)
  return verifier?.alg === 'ES256' ? verifier.key : undefined
}

const isSignedBy = async (key: CryptoKey, token: string, alg: string): Promise<boolean> => {
  try {
    await compactVerify(token, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

type Seen = { readonly config: Config; readonly header: JwsHeader; readonly claims: SessionClaims }
const seenBy = new WeakMap<SigningKeys, VerifiedTokenCache<Seen>>()
const seenTokens = (keys: SigningKeys): VerifiedTokenCache<Seen> => {
  const known = seenBy.get(keys) ?? new VerifiedTokenCache<Seen>()
  seenBy.set(keys, known)
  return known
}

const refused = (): AppError => new AppError('invalid_token')

const verifyUncached = async (ctx: VerifyDeps, token: string): Promise<Seen> => {
  const jws = parseStrictJws(token)
  if (jws === undefined) throw refused()
  const key = await keyFor(ctx, jws.header)
  if (key === undefined || !(await isSignedBy(key, token, jws.header.alg))) throw refused()
  const claims = fromWire(objectIn(jws.payloadSegment), audienceOf(ctx.config), ctx.clock.now())
  if (claims === undefined) throw refused()
  return { config: ctx.config, header: jws.header, claims }
}

/** The claims of a token verified before; undefined for an unknown one. Neither expiry nor key is checked again. */
export const cachedClaims = (ctx: Pick<VerifyDeps, 'config' | 'signingKeys'>, token: string): SessionClaims | undefined => {
  const seen = token.length > MAX_TOKEN_LENGTH ? undefined : seenTokens(ctx.signingKeys).recall(tokenDigest(token))
  return seen?.config === ctx.config ? seen.claims : undefined
}

/**
 * Verifies a session token: our own canonical encoding, signed with an accepted key, and within its lifetime. For a token verified before, only its
 * expiry and key are checked again. Revocation of the session is not checked here.
 * @throws AppError invalid_token, always with the same text
 * @see RFC 7519 section 7.2, RFC 8725
 */
export const verifySessionToken = async (ctx: VerifyDeps, token: string): Promise<SessionClaims> => {
  if (token.length > MAX_TOKEN_LENGTH) throw refused()
  const seen = seenTokens(ctx.signingKeys)
  const digest = tokenDigest(token)
  const known = seen.recall(digest)
  if (known?.config === ctx.config) {
    if (known.claims.expiresAt > ctx.clock.now() && (await keyFor(ctx, known.header)) !== undefined) return known.claims
    seen.forget(digest)
    throw refused()
  }
  const verified = await verifyUncached(ctx, token)
  seen.keep(digest, verified)
  return verified.claims
}
