// Attestors of a tenant: which evidence makes a process a workload of the tenant.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { type Attestor, deleteAttestor, findAttestor, insertAttestor, listAttestors, lockAttestor, updateAttestor } from '#db/store/attestors'
import { findPermissionHolders } from '#db/store/users'
import { verifyEvidence } from '#shared/domains/attestation/attest'
import { type AttestorSettings, requireSoundSettings, withDefaults } from '#shared/domains/attestation/attestor-settings'
import { CHALLENGE_SECONDS, newChallenge } from '#shared/domains/attestation/challenge'
import { normalSerial } from '#shared/domains/attestation/method'
import { tokenReviewContext } from '#shared/domains/attestation/methods/token-review'
import { isExact, matchesRule } from '#shared/domains/attestation/rules'
import { type GrantorPermissions, requireFullRole } from '#shared/domains/authority/access-change'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import { requireStepUp } from '#shared/platform/http/step-up'
import type { User } from '#shared/platform/principals/principal'
import type { AttestorChallenge, AttestorChange, AttestorList, AttestorOut, AttestorTrial, AttestorVerdict, NewAttestor } from './attestors.schema.ts'
import { withFederation } from './federated-bundles.ts'
import type { Ctx } from './group.ts'

const MAX_ATTESTORS = 200
type Out = z.input<typeof AttestorOut>
type New = z.output<typeof NewAttestor>
type Change = z.output<typeof AttestorChange>

const toResponse = (row: Attestor): Out => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  active: row.active,
  issuer: row.issuer,
  jwks_uri: row.jwksUri,
  jwks: row.jwks === null ? null : { keys: [...row.jwks.keys] },
  algorithms: row.algorithms,
  audience: row.audience,
  key_binding: row.keyBinding,
  max_age_seconds: row.maxAgeSeconds,
  rules: row.rules,
  regions: row.regions,
  certificate_authorities: row.certificateAuthorities,
  revoked_serials: row.revokedSerials,
  token_review: row.tokenReviewUrl === null ? null : { url: row.tokenReviewUrl, certificate_authority: row.tokenReviewCa },
  trust_domain: row.trustDomain,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const tagOf = (row: Attestor): string => {
  const { created_at: _, updated_at: __, ...changeable } = toResponse(row)
  return etagOf(changeable)
}
const tagged = (row: Attestor): HttpResult<Out> => new HttpResult(toResponse(row), { headers: { ETag: tagOf(row) } })
const target = (id: string) => ({ type: 'attestor', id })

type Writable = { -readonly [K in keyof AttestorSettings]?: AttestorSettings[K] }

/** The settings that a request names. */
const settingsIn = (request: Change & Pick<New, 'issuer' | 'trust_domain'>): Partial<AttestorSettings> => {
  const given: Writable = {}
  if (request.issuer !== undefined) given.issuer = request.issuer
  if (request.trust_domain !== undefined) given.trustDomain = request.trust_domain
  if (request.jwks_uri !== undefined) given.jwksUri = request.jwks_uri
  if (request.jwks !== undefined) given.jwks = request.jwks
  // Published keys replace registered ones, and the other way round.
  if (typeof request.jwks_uri === 'string' && request.jwks === undefined) given.jwks = null
  if (request.jwks && request.jwks_uri === undefined) given.jwksUri = null
  if (request.algorithms !== undefined) given.algorithms = request.algorithms
  if (request.audience !== undefined) given.audience = request.audience
  if (request.key_binding !== undefined) given.keyBinding = request.key_binding
  if (request.max_age_seconds !== undefined) given.maxAgeSeconds = request.max_age_seconds
  if (request.token_review !== undefined) {
    given.tokenReviewUrl = request.token_review?.url ?? null
    given.tokenReviewCa = request.token_review?.certificate_authority ?? null
  }
  if (request.rules !== undefined) given.rules = request.rules
  if (request.regions !== undefined) given.regions = request.regions
  if (request.certificate_authorities !== undefined) given.certificateAuthorities = request.certificate_authorities
  if (request.revoked_serials !== undefined) given.revokedSerials = request.revoked_serials.map(normalSerial)
  return given
}

type TokenReview = New['token_review']

/** The token is write-only. */
const sealedReviewToken = async (t: TenantTx, ctx: Ctx, id: string, review: TokenReview): Promise<Uint8Array | null> =>
  review ? ctx.keyring.seal(t, t.tenantId, review.token, tokenReviewContext(id)) : null

/** Everything that the first list allows is allowed by the second. */
const isWithin = (now: readonly string[], before: readonly string[]): boolean => now.every((one) => before.includes(one))
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const isNarrower = (now: string | undefined, before: string): boolean =>
  now === before || (now !== undefined && isExact(now) && matchesRule(before, now))

const reviewOf = ({ tokenReviewUrl, tokenReviewCa, sealedTokenReviewToken }: Attestor) => [
  tokenReviewUrl,
  tokenReviewCa,
  sealedTokenReviewToken === null ? null : Buffer.from(sealedTokenReviewToken).toString('base64'),
]

/** Whether the attestor accepts evidence that it did not accept before. An inactive one is judged when it becomes active. */
const isWider = (before: Attestor, now: Attestor): boolean => {
  if (!now.active) return false
  const acceptsNoMore =
    before.active &&
    isSame([before.jwksUri, before.jwks], [now.jwksUri, now.jwks]) &&
    (now.keyBinding === 'required' || (before.keyBinding === 'pinned' && now.audience === before.audience)) &&
    now.maxAgeSeconds <= before.maxAgeSeconds &&
    isWithin(now.algorithms, before.algorithms) &&
    isWithin(now.regions, before.regions) &&
    isWithin(now.certificateAuthorities, before.certificateAuthorities) &&
    isWithin(before.revokedSerials, now.revokedSerials) &&
    (before.tokenReviewUrl === null || isSame(reviewOf(before), reviewOf(now))) &&
    Object.entries(before.rules).every(([name, rule]) => isNarrower(now.rules[name], rule))
  return !acceptsNoMore
}

const TRUST = [
  'active',
  'jwksUri',
  'jwks',
  'algorithms',
  'audience',
  'keyBinding',
  'maxAgeSeconds',
  'rules',
  'regions',
  'certificateAuthorities',
  'revokedSerials',
  'tokenReviewUrl',
  'tokenReviewCa',
] as const
const trustsOtherwise = (before: Attestor, now: Attestor): boolean => TRUST.some((name) => !isSame(before[name], now[name]))

/**
 * Evidence can make a process any workload of the tenant, with its rights, so no list of permissions covers accepting it.
 * @throws AppError cannot_grant, insufficient_user_authentication
 */
const requireTrustable = (ctx: Ctx, caller: User, grantable: GrantorPermissions): void => {
  requireFullRole(grantable, 'decide which evidence makes a process a workload of the tenant')
  requireStepUp(ctx, caller, { withinSeconds: STEP_UP_SECONDS, acr: 'aal2' })
}

const tellOthers = async (t: TenantTx, ctx: Ctx, caller: User, row: Attestor): Promise<void> => {
  const data = { by: caller.email, name: row.name, kind: row.kind }
  for (const { id, email } of await findPermissionHolders(t, 'admin:access', ctx.clock.now()))
    if (id !== caller.userId) await notify(t, ctx, { to: email, subjectId: id, template: 'attestor_trusted', data })
}

const namedOnce = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('attestor_exists', undefined, { field: 'body.name' }, error)
    throw error
  }
}

/** @throws AppError invalid_request, attestor_exists, quota_exceeded, cannot_grant, insufficient_user_authentication */
export const createAttestor = async (ctx: Ctx, caller: User, request: New): Promise<HttpResult<Out>> => {
  const settings = withDefaults(request.kind, settingsIn(request))
  await requireSoundSettings(ctx, request.kind, settings)
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const row = { ...settings, id, name: request.name, kind: request.kind, active: request.active, validFrom: at, createdAt: at, updatedAt: at }
  const made = await namedOnce(() =>
    actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
      requireTrustable(ctx, caller, grantable)
      if ((await listAttestors(t, MAX_ATTESTORS)).length >= MAX_ATTESTORS) throw new AppError('quota_exceeded')
      const inserted = await insertAttestor(t, { ...row, sealedTokenReviewToken: await sealedReviewToken(t, ctx, id, request.token_review) })
      await recordEvent(t, ctx, { event: 'attestor.created', actor: byUser(caller), target: target(id), after: { ...toResponse(inserted) } })
      await tellOthers(t, ctx, caller, inserted)
      return inserted
    }),
  )
  ctx.wakeOutbox()
  return tagged(made)
}

export const showAttestors = async (ctx: Ctx, caller: User): Promise<z.input<typeof AttestorList>> => ({
  attestors: (await listAttestors(forTenant(ctx.db, caller.tenantId), MAX_ATTESTORS)).map(toResponse),
})

/** @throws AppError not_found */
export const readAttestor = async (ctx: Ctx, caller: User, id: string): Promise<HttpResult<Out>> => {
  const row = await findAttestor(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return tagged(row)
}

/**
 * Identities from evidence that was accepted before end when the trust changes. Widening an attestor needs what creating one needs.
 * @throws AppError precondition_required, precondition_failed, not_found, invalid_request, attestor_exists, cannot_grant, insufficient_user_authentication
 */
export const changeAttestor = async (ctx: Ctx, caller: User, id: string, request: Change): Promise<HttpResult<Out>> => {
  const requirePrecondition = preconditionOf(ctx, 'required')
  const changed = await namedOnce(() =>
    actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
      const before = await lockAttestor(t, id)
      if (before === undefined) throw new AppError('not_found')
      requirePrecondition(tagOf(before))
      const given = settingsIn(request)
      const settings = withDefaults(before.kind, { ...before, ...given })
      if (Object.keys(given).length > 0 || request.active === true) await requireSoundSettings(ctx, before.kind, settings)
      const at = ctx.clock.now()
      const sealed = request.token_review === undefined ? before.sealedTokenReviewToken : await sealedReviewToken(t, ctx, id, request.token_review)
      const wanted = {
        ...before,
        ...settings,
        sealedTokenReviewToken: sealed,
        name: request.name ?? before.name,
        active: request.active ?? before.active,
        updatedAt: at,
      }
      const after = await updateAttestor(t, id, trustsOtherwise(before, wanted) ? { ...wanted, validFrom: at } : wanted)
      if (after === undefined) throw new AppError('not_found')
      const widens = isWider(before, after)
      if (widens) requireTrustable(ctx, caller, grantable)
      const snapshots = { before: { ...toResponse(before) }, after: { ...toResponse(after) } }
      await recordEvent(t, ctx, { event: 'attestor.updated', actor: byUser(caller), target: target(id), ...snapshots })
      if (widens) await tellOthers(t, ctx, caller, after)
      return after
    }),
  )
  ctx.wakeOutbox()
  return tagged(changed)
}

/** Its join tokens end with it. @throws AppError not_found */
export const removeAttestor = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockAttestor(t, id)
    if (before === undefined) throw new AppError('not_found')
    await deleteAttestor(t, id)
    await recordEvent(t, ctx, { event: 'attestor.deleted', actor: byUser(caller), target: target(id), before: { ...toResponse(before) } })
    return undefined
  })

/** For proofs of possession of a certificate. */
export const issueChallenge = async (ctx: Pick<Ctx, 'hash' | 'clock'>): Promise<z.input<typeof AttestorChallenge>> => ({
  challenge: newChallenge(ctx),
  expires_in: CHALLENGE_SECONDS,
})

/** Verifies evidence and writes nothing; also for an inactive attestor, before it is activated. @throws AppError not_found */
export const tryAttestor = async (
  ctx: Ctx,
  caller: User,
  id: string,
  { evidence, jkt }: z.output<typeof AttestorTrial>,
): Promise<z.input<typeof AttestorVerdict>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const attestor = await findAttestor(t, id)
  if (attestor === undefined) throw new AppError('not_found')
  const verdict = await verifyEvidence(withFederation(ctx), t, { attestor, evidence, jkt })
  if (!verdict.accepted) return { accepted: false, failed_check: verdict.failed, selectors: [], evidence_expires_at: null }
  const { selectors, expiresAt } = verdict.attested
  return { accepted: true, failed_check: null, selectors: [...selectors], evidence_expires_at: expiresAt.toISOString() }
}
