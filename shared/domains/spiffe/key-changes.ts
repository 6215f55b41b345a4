// Changes to the keys of a trust domain: each under its lock, with its audit event, and with a new sequence of the bundle.
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { revokeSvidsOfKey } from '#db/store/svids'
import {
  deleteRetiredWorkloadKey,
  findTrustDomainKeys,
  findWorkloadKey,
  insertTrustDomain,
  insertWorkloadKey,
  lockTrustDomain,
  markWorkloadKeyRevoked,
  promoteWorkloadKey,
  raiseBundleSequence,
  retireWorkloadKey,
  type TrustDomain,
} from '#db/store/trust-domains'
import type { BaseCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { type Actor, type AuditCtx, bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import type { RotationStep } from '#shared/platform/tokens/key-rotation'
import type { Alg } from '#shared/platform/tokens/signing-key'
import { trustDomainName } from './id.ts'
import { CA_SECONDS, KEY_LINES, type KeyLine, planKeyLine, type SealedWorkloadKey, workloadKeyContext } from './keys.ts'

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'keyring' | 'random' | 'hash'>

const RSA_BITS = 2048
const generated = (alg: Alg) => generateKeyPair(alg, { extractable: true, ...(alg === 'RS256' ? { modulusLength: RSA_BITS } : {}) })
type KeyPair = Awaited<ReturnType<typeof generated>>
type Generated = SealedWorkloadKey & { readonly kid: string; readonly notAfter: Date | null }

const certificateOf = async (ctx: Deps, tenantId: TenantId, keys: KeyPair, kid: string): Promise<Pick<Generated, 'certificate' | 'notAfter'>> => {
  const { createCaCertificate } = await import('./x509.ts')
  const now = ctx.clock.now()
  const notAfter = secondsAfter(now, CA_SECONDS)
  const certificate = await createCaCertificate({
    trustDomain: trustDomainName(tenantId),
    kid,
    keys,
    serial: ctx.random.bytes(16),
    notBefore: secondsAfter(now, -60),
    notAfter,
  })
  return { certificate: certificate.toString('base64'), notAfter }
}

/** Its id is its thumbprint (RFC 7638). */
const generateKey = async (ctx: Deps, tenantId: TenantId, { use, alg }: KeyLine): Promise<Generated> => {
  const keys = await generated(alg)
  const jwk = await exportJWK(keys.privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { jwk, kid, notAfter: null, ...(use === 'x509' ? await certificateOf(ctx, tenantId, keys, kid) : {}) }
}

const target = (kid: string) => ({ type: 'workload_key', id: kid })
/** Keys change by themselves: no route has to declare it. */
const ofSystem = ({ clock, random, keyring, hash }: Deps): AuditCtx => ({ clock, random, keyring, hash })

const insertGenerated = async (
  t: TenantTx,
  ctx: Deps,
  domain: TrustDomain,
  line: KeyLine,
  status: 'next' | 'current',
  { kid, jwk, certificate, notAfter }: Generated,
): Promise<boolean> => {
  const at = ctx.clock.now()
  const sealedKey: SealedWorkloadKey = { jwk, ...(certificate === undefined ? {} : { certificate }) }
  const { use, alg } = line
  const inserted = await insertWorkloadKey(t, {
    kid,
    trustDomainId: domain.id,
    use,
    alg,
    status,
    sealed: await ctx.keyring.seal(t, t.tenantId, JSON.stringify(sealedKey), workloadKeyContext(use, alg, kid)),
    notAfter,
    createdAt: at,
    currentSince: status === 'current' ? at : null,
  })
  await recordEvent(t, ofSystem(ctx), { event: 'workload_key.created', actor: bySystem, target: target(kid), after: { use, alg, status } })
  return inserted
}

type Applying = { readonly domain: TrustDomain; readonly line: KeyLine; readonly spare: () => Promise<Generated> }

/** The steps were planned under the lock, so each must apply. */
const applyStep = async (t: TenantTx, ctx: Deps, { domain, line, spare }: Applying, step: RotationStep): Promise<boolean> => {
  const at = ctx.clock.now()
  switch (step.step) {
    case 'delete':
      return deleteRetiredWorkloadKey(t, step.kid, at)
    case 'retire':
      return retireWorkloadKey(t, step.kid, step.until)
    case 'promote': {
      const { use, alg } = line
      await recordEvent(t, ofSystem(ctx), { event: 'workload_key.rotated', actor: bySystem, target: target(step.kid), after: { use, alg } })
      return promoteWorkloadKey(t, step.kid, at)
    }
    case 'create':
      return insertGenerated(t, ctx, domain, line, step.status, await spare())
  }
}

const ownTrustDomain = async (t: TenantTx, ctx: Deps, actor: Actor): Promise<TrustDomain> => {
  const [id, name] = [ctx.random.id(), trustDomainName(t.tenantId)]
  if (await insertTrustDomain(t, { id, name, createdAt: ctx.clock.now() })) {
    const created = { event: 'trust_domain.created', actor, target: { type: 'trust_domain', id }, after: { name } } as const
    await recordEvent(t, ofSystem(ctx), created)
  }
  const domain = await lockTrustDomain(t)
  if (domain === undefined) throw new Error('The trust domain is missing.')
  return domain
}

type Revocation = { readonly kid: string; readonly actor: Actor; readonly audit: AuditCtx }

const revokeIn = async (t: TenantTx, ctx: Deps, { kid, actor, audit }: Revocation): Promise<boolean> => {
  if (!(await markWorkloadKeyRevoked(t, kid))) return false
  const svids = await revokeSvidsOfKey(t, kid, ctx.clock.now(), 'key_revoked')
  await recordEvent(t, audit, { event: 'workload_key.revoked', actor, target: target(kid), after: { svids } })
  return true
}

/**
 * Applies what is due, after a revocation in the same transaction. New keys are generated before it, from an estimate of how many are needed: generating
 * an RSA key is slow, and on the embedded engine all other requests would wait.
 */
const applyChanges = async (ctx: Deps, tenantId: TenantId, actor: Actor, revocation?: Revocation): Promise<number> => {
  const t = forTenant(ctx.db, tenantId)
  const estimate = ((await findTrustDomainKeys(t))?.keys ?? []).filter(({ kid }) => kid !== revocation?.kid)
  const now = ctx.clock.now()
  const due = KEY_LINES.map((line) => ({ line, steps: planKeyLine(estimate, line, now) }))
  if (revocation === undefined && due.every(({ steps }) => steps.length === 0)) return 0
  const spares = new Map<KeyLine, Generated[]>()
  for (const { line, steps } of due) {
    const wanted = steps.filter(({ step }) => step === 'create')
    spares.set(line, await Promise.all(wanted.map(() => generateKey(ctx, tenantId, line))))
  }
  return atomically(t, async (tx) => {
    const domain = await ownTrustDomain(tx, ctx, actor)
    let changed = revocation !== undefined && (await revokeIn(tx, ctx, revocation)) ? 1 : 0
    const keys = (await findTrustDomainKeys(tx))?.keys ?? []
    for (const line of KEY_LINES) {
      const spare = async () => spares.get(line)?.pop() ?? generateKey(ctx, tenantId, line)
      for (const step of planKeyLine(keys, line, now)) {
        if (!(await applyStep(tx, ctx, { domain, line, spare }, step))) throw new Error('The keys changed under the lock.')
        changed += 1
      }
    }
    if (changed > 0) await raiseBundleSequence(tx)
    return changed
  })
}

/** Creates the trust domain and missing keys, and applies due changes. Returns the number of changed keys. */
export const rotateWorkloadKeys = (ctx: Deps, tenantId: TenantId, actor: Actor = bySystem): Promise<number> => applyChanges(ctx, tenantId, actor)

/**
 * Emergency: the key leaves the bundle at once, its successor takes over, and everything it signed is revoked. Revoking twice is not an error.
 * @throws AppError not_found
 */
export const revokeWorkloadKey = async (ctx: Deps & AuditCtx, tenantId: TenantId, kid: string, actor: Actor): Promise<void> => {
  if ((await findWorkloadKey(forTenant(ctx.db, tenantId), kid)) === undefined) throw new AppError('not_found')
  await applyChanges(ctx, tenantId, actor, { kid, actor, audit: ctx })
}
