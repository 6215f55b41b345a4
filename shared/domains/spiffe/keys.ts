// The keys of a tenant's trust domain: a certificate authority, JWT keys for verifiers of every kind, and a key for WIT-SVIDs. Each is published before it
// signs, and stays published until everything it signed has expired.
import { importJWK, type JWK } from 'jose'
import type { Db } from '#db/engine/client'
import { forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { findTrustDomainKeys, type WorkloadKeyRow, type WorkloadKeyUse } from '#db/store/trust-domains'
import type { BaseCtx } from '#shared/domains/context'
import { createTtlCache, type TtlCache } from '#shared/platform/cache/ttl-cache'
import { isKeyAccepted, planRotation, type RotationTimes } from '#shared/platform/tokens/key-rotation'
import type { Alg } from '#shared/platform/tokens/signing-key'

export type KeyLine = { readonly use: WorkloadKeyUse; readonly alg: Alg; readonly times: RotationTimes }

const DAY = 24 * 3600
/** The longest SVID, and a margin for clocks and for instances that still sign with the key. */
const OVERLAP_SECONDS = DAY + 3600
/** Lifetime of a certificate of a certificate authority. */
export const CA_SECONDS = 30 * DAY
const JWT_TIMES: RotationTimes = { lifeSeconds: 30 * DAY, overlapSeconds: OVERLAP_SECONDS, publishedAheadSeconds: DAY }
/**
 * A certificate authority waits as the next one while its predecessor signs, signs, and retires, all within the lifetime of its certificate; one day of
 * delay of the job fits in twice.
 */
const CA_TIMES: RotationTimes = { lifeSeconds: 13 * DAY, overlapSeconds: OVERLAP_SECONDS, publishedAheadSeconds: DAY }

/** Clouds verify RS256 only; ES256 is shorter. */
export const KEY_LINES: readonly KeyLine[] = [
  { use: 'x509', alg: 'ES256', times: CA_TIMES },
  { use: 'jwt', alg: 'RS256', times: JWT_TIMES },
  { use: 'jwt', alg: 'ES256', times: JWT_TIMES },
  { use: 'wit', alg: 'ES256', times: JWT_TIMES },
]

export const keysOfLine = <K extends Pick<WorkloadKeyRow, 'use' | 'alg'>>(keys: readonly K[], line: Pick<KeyLine, 'use' | 'alg'>): readonly K[] =>
  keys.filter(({ use, alg }) => use === line.use && alg === line.alg)

export const planKeyLine = (keys: readonly WorkloadKeyRow[], line: KeyLine, now: Date) =>
  planRotation(keysOfLine(keys, line), line.alg, now, line.times)

export type PublicWorkloadJwk = Readonly<Record<string, string>>
/** What a key row seals. */
export type SealedWorkloadKey = { readonly jwk: JWK; readonly certificate?: string }
type Material = {
  readonly publicJwk: PublicWorkloadJwk
  readonly signingKey: CryptoKey
  readonly verifyingKey: CryptoKey
  /** DER of the certificate, for a certificate authority. */
  readonly certificate: Buffer | undefined
}
export type WorkloadKey = WorkloadKeyRow & Material

export const workloadKeyContext = (use: WorkloadKeyUse, alg: Alg, kid: string): string => `workload_keys:${use}:${alg}:${kid}`

const PUBLIC_MEMBERS: Readonly<Record<Alg, readonly (keyof JWK)[]>> = { ES256: ['kty', 'crv', 'x', 'y'], RS256: ['kty', 'n', 'e'] }
/** The public members of a key, and no others (RFC 7518 sections 6.2.1 and 6.3.1). */
export const publicMembers = (jwk: JWK, alg: Alg): PublicWorkloadJwk =>
  Object.fromEntries(PUBLIC_MEMBERS[alg].map((name) => [name, String(jwk[name])]))

const imported = async (jwk: JWK, alg: Alg): Promise<CryptoKey> => {
  const key = await importJWK(jwk, alg, { extractable: false })
  if (key instanceof Uint8Array) throw new Error('A workload key is asymmetric.')
  return key
}

type OpenCtx = Pick<BaseCtx, 'keyring'>
/** Opened keys, each once, because a key never changes. */
const opened = new WeakMap<BaseCtx['keyring'], Map<string, Promise<Material | undefined>>>()
const MAX_OPENED = 2000

const openMaterial = async (ctx: OpenCtx, t: TenantDb, { use, alg, kid, sealed }: WorkloadKeyRow): Promise<Material | undefined> => {
  const text = await ctx.keyring.open(t, t.tenantId, sealed, workloadKeyContext(use, alg, kid))
  if (text === undefined) return undefined
  const { jwk, certificate } = JSON.parse(text) as SealedWorkloadKey
  const publicJwk = publicMembers(jwk, alg)
  return {
    publicJwk,
    signingKey: await imported(jwk, alg),
    verifyingKey: await imported(publicJwk, alg),
    certificate: certificate === undefined ? undefined : Buffer.from(certificate, 'base64'),
  }
}

const materialOf = (ctx: OpenCtx, t: TenantDb, row: WorkloadKeyRow): Promise<Material | undefined> => {
  const known = opened.get(ctx.keyring) ?? new Map<string, Promise<Material | undefined>>()
  opened.set(ctx.keyring, known)
  const key = `${t.tenantId} ${row.kid}`
  const made = known.get(key) ?? openMaterial(ctx, t, row)
  if (known.size >= MAX_OPENED) known.clear()
  known.set(key, made)
  made.catch(() => known.delete(key))
  return made
}

export type TrustDomainKeys = {
  readonly tenantId: TenantId
  readonly name: string
  readonly sequence: number
  /** A suspended tenant publishes its keys, and issues and accepts nothing. */
  readonly isTenantActive: boolean
  readonly rows: readonly WorkloadKeyRow[]
}

const caches = new WeakMap<Db, TtlCache<TrustDomainKeys>>()

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'keyring'>

/** The keys of a tenant, at most one second old, and not older than its last commit on this instance. Undefined before a trust domain exists. */
export const findTrustDomain = ({ db, clock }: Pick<Deps, 'db' | 'clock'>, tenantId: TenantId): Promise<TrustDomainKeys | undefined> => {
  const cache = caches.get(db) ?? createTtlCache<TrustDomainKeys>({ db, clock })
  caches.set(db, cache)
  return cache.get(tenantId, async () => {
    const found = await findTrustDomainKeys(forTenant(db, tenantId))
    if (found === undefined) return undefined
    const { domain, isTenantActive, keys } = found
    return { tenantId, name: domain.name, sequence: domain.sequence, isTenantActive, rows: keys }
  })
}

/** The opened keys of a use that may verify at this moment. */
export const acceptedKeys = async (ctx: Deps, tenantId: TenantId, use: WorkloadKeyUse): Promise<readonly WorkloadKey[]> => {
  const domain = await findTrustDomain(ctx, tenantId)
  const now = ctx.clock.now()
  if (domain?.isTenantActive !== true) return []
  const rows = domain.rows.filter((row) => row.use === use && isKeyAccepted(row, now))
  return openAll(ctx, tenantId, rows)
}

/** Keys that cannot be opened are left out, and so verify nothing. */
export const openAll = async (ctx: Deps, tenantId: TenantId, rows: readonly WorkloadKeyRow[]): Promise<readonly WorkloadKey[]> => {
  const t = forTenant(ctx.db, tenantId)
  const keys = await Promise.all(rows.map(async (row) => ({ row, material: await materialOf(ctx, t, row) })))
  return keys.flatMap(({ row, material }) => (material === undefined ? [] : [{ ...row, ...material }]))
}
