// Trusted issuers of a tenant: authorization servers whose assertions are accepted here, or for which identity assertions are issued.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import {
  deleteIssuer,
  findIssuer,
  insertIssuer,
  listIssuers,
  lockIssuer,
  type NewTrustedIssuer,
  type TrustedIssuer,
  updateIssuer,
} from '#db/store/oauth-issuers'
import { findPermissionHolders } from '#db/store/users'
import { requireFullRole } from '#shared/domains/authority/access-change'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import { requireStepUp } from '#shared/platform/http/step-up'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { IssuerChange, IssuerList, IssuerOut, NewIssuer } from './issuers.schema.ts'

const MAX_ISSUERS = 200
type Out = z.input<typeof IssuerOut>
type Accepts = NonNullable<z.output<typeof NewIssuer>['accepts']>

const toResponse = (row: TrustedIssuer): Out => ({
  id: row.id,
  issuer: row.issuer,
  name: row.name,
  active: row.active,
  accepts:
    row.acceptsIdentity || row.acceptsJwt
      ? {
          identity_assertions: row.acceptsIdentity,
          jwt: row.acceptsJwt,
          jwks_uri: row.jwksUri,
          jwks: row.jwks === null ? null : { keys: [...row.jwks.keys] },
          subject_mapping: row.subjectMapping,
          scopes: row.scopes,
        }
      : null,
  sends: row.sends ? { client_ids: row.clientIds, scopes: row.sentScopes } : null,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const tagOf = (row: TrustedIssuer): string => {
  const { name, active, accepts, sends } = toResponse(row)
  return etagOf([name, active, accepts, sends])
}
const tagged = (row: TrustedIssuer): HttpResult<Out> => new HttpResult(toResponse(row), { headers: { ETag: tagOf(row) } })
const target = (id: string) => ({ type: 'trusted_issuer', id })

const invalid = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

const requireUrl = (ctx: Ctx, field: string, url: string): void => {
  const validated = checkOutboundUrl(url, ctx.outbound)
  if (typeof validated === 'string') throw invalid(field, `is invalid (${validated})`)
}

/** This deployment cannot be trusted as an issuer: its issuer is the same for all tenants. @throws AppError invalid_request */
const requireIssuer = (ctx: Ctx, issuer: string): void => {
  requireUrl(ctx, 'body.issuer', issuer)
  const [theirs, ours] = [new URL(issuer), new URL(ctx.config.BASE_URL)]
  if (theirs.origin === ours.origin || issuer.includes('?')) throw invalid('body.issuer', 'must be another server')
}

const acceptsOf = (ctx: Ctx, accepts: Accepts | null): Partial<NewTrustedIssuer> => {
  if (accepts === null) return { acceptsIdentity: false, acceptsJwt: false, jwksUri: null, jwks: null, scopes: null, subjectMapping: 'identity' }
  const { jwks_uri: jwksUri, jwks } = accepts
  if (!accepts.identity_assertions && !accepts.jwt) throw invalid('body.accepts', 'must accept identity_assertions or jwt')
  if ((jwksUri === undefined) === (jwks === undefined)) throw invalid('body.accepts', 'needs either jwks_uri or jwks')
  if (jwksUri !== undefined) requireUrl(ctx, 'body.accepts.jwks_uri', jwksUri)
  return {
    acceptsIdentity: accepts.identity_assertions,
    acceptsJwt: accepts.jwt,
    jwksUri: jwksUri ?? null,
    jwks: jwks ?? null,
    subjectMapping: accepts.subject_mapping,
    scopes: accepts.scopes,
  }
}
const sendsOf = (sends: z.output<typeof NewIssuer>['sends']): Partial<NewTrustedIssuer> =>
  sends === null ? { sends: false, clientIds: {}, sentScopes: [] } : { sends: true, clientIds: sends.client_ids, sentScopes: sends.scopes }

/** Nothing of `now` is missing from `before`, where null allows everything. */
const isWithin = (now: readonly string[] | null, before: readonly string[] | null): boolean =>
  before === null || (now?.every((scope) => before.includes(scope)) ?? false)

const isSameTrust = (a: TrustedIssuer, b: TrustedIssuer): boolean =>
  a.jwksUri === b.jwksUri && JSON.stringify(toResponse(a).accepts?.jwks ?? null) === JSON.stringify(toResponse(b).accepts?.jwks ?? null)

const acceptsMore = (before: TrustedIssuer, now: TrustedIssuer): boolean =>
  (now.acceptsIdentity || now.acceptsJwt) &&
  ((now.acceptsIdentity && !before.acceptsIdentity) ||
    (now.acceptsJwt && !before.acceptsJwt) ||
    !isSameTrust(before, now) ||
    now.subjectMapping !== before.subjectMapping ||
    !isWithin(now.scopes, before.scopes))

const sendsMore = (before: TrustedIssuer, now: TrustedIssuer): boolean =>
  now.sends &&
  (!before.sends ||
    Object.entries(now.clientIds).some(([id, theirs]) => before.clientIds[id] !== theirs) ||
    !isWithin(now.sentScopes, before.sentScopes))

/** Whether the issuer reaches further than before: other keys, another mapping, more scopes, or anything of an issuer that was inactive. */
const isWider = (before: TrustedIssuer, now: TrustedIssuer): boolean =>
  now.active && (!before.active || acceptsMore(before, now) || sendsMore(before, now))

/**
 * An issuer can assert any person of the tenant, so no list of permissions covers trusting one.
 * @throws AppError cannot_grant, insufficient_user_authentication
 */
const requireTrustable = (ctx: Ctx, caller: User, grantable: Parameters<typeof requireFullRole>[0]): void => {
  requireFullRole(grantable, 'trust an issuer, because it can assert the identity of any person')
  requireStepUp(ctx, caller, { withinSeconds: STEP_UP_SECONDS, acr: 'aal2' })
}

const tellOthers = async (t: TenantTx, ctx: Ctx, caller: User, row: TrustedIssuer): Promise<void> => {
  const data = { by: caller.email, name: row.name, issuer: row.issuer }
  for (const { id, email } of await findPermissionHolders(t, 'admin:access', ctx.clock.now()))
    if (id !== caller.userId) await notify(t, ctx, { to: email, subjectId: id, template: 'issuer_trusted', data })
}

/** @throws AppError invalid_request, issuer_exists, quota_exceeded, cannot_grant, insufficient_user_authentication */
export const createIssuer = async (ctx: Ctx, caller: User, request: z.output<typeof NewIssuer>): Promise<Out> => {
  requireIssuer(ctx, request.issuer)
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const row = { id, name: request.name, issuer: request.issuer, active: request.active, validFrom: at, createdAt: at, updatedAt: at }
  const change = { ...acceptsOf(ctx, request.accepts), ...sendsOf(request.sends) }
  try {
    const made = await actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
      requireTrustable(ctx, caller, grantable)
      if ((await listIssuers(t, MAX_ISSUERS)).length >= MAX_ISSUERS) throw new AppError('quota_exceeded')
      await insertIssuer(t, { ...row, ...change })
      const inserted = await findIssuer(t, id)
      if (inserted === undefined) throw new Error('The inserted issuer is missing.')
      await recordEvent(t, ctx, { event: 'trusted_issuer.created', actor: byUser(caller), target: target(id), after: { ...toResponse(inserted) } })
      await tellOthers(t, ctx, caller, inserted)
      return toResponse(inserted)
    })
    ctx.wakeOutbox()
    return made
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('issuer_exists', undefined, { field: 'body.issuer' }, error)
    throw error
  }
}

export const showIssuers = async (ctx: Ctx, caller: User): Promise<z.input<typeof IssuerList>> => ({
  trusted_issuers: (await listIssuers(forTenant(ctx.db, caller.tenantId), MAX_ISSUERS)).map(toResponse),
})

/** @throws AppError not_found */
export const readIssuer = async (ctx: Ctx, caller: User, id: string): Promise<HttpResult<Out>> => {
  const row = await findIssuer(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return tagged(row)
}

/**
 * Tokens based on earlier assertions end. Widening an issuer needs what creating one needs; narrowing, renaming and deactivating do not.
 * @throws AppError precondition_required, precondition_failed, not_found, invalid_request, cannot_grant, insufficient_user_authentication
 */
export const changeIssuer = async (ctx: Ctx, caller: User, id: string, request: z.output<typeof IssuerChange>): Promise<HttpResult<Out>> => {
  const requirePrecondition = preconditionOf(ctx, 'required')
  const change = {
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(request.active === undefined ? {} : { active: request.active }),
    ...(request.accepts === undefined ? {} : acceptsOf(ctx, request.accepts)),
    ...(request.sends === undefined ? {} : sendsOf(request.sends)),
  }
  const changed = await actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    const before = await lockIssuer(t, id)
    if (before === undefined) throw new AppError('not_found')
    requirePrecondition(tagOf(before))
    const at = ctx.clock.now()
    const isTrustChanged = request.active !== undefined || request.accepts !== undefined
    const after = await updateIssuer(t, id, { ...change, updatedAt: at, ...(isTrustChanged ? { validFrom: at } : {}) })
    if (after === undefined) throw new AppError('not_found')
    // An inactive issuer is judged when it becomes active.
    const widens = isWider(before, after)
    if (widens) requireTrustable(ctx, caller, grantable)
    const snapshots = { before: { ...toResponse(before) }, after: { ...toResponse(after) } }
    await recordEvent(t, ctx, { event: 'trusted_issuer.updated', actor: byUser(caller), target: target(id), ...snapshots })
    if (widens) await tellOthers(t, ctx, caller, after)
    return tagged(after)
  })
  ctx.wakeOutbox()
  return changed
}

/** Tokens based on its assertions end. @throws AppError not_found */
export const removeIssuer = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockIssuer(t, id)
    if (before === undefined) throw new AppError('not_found')
    await deleteIssuer(t, id)
    await recordEvent(t, ctx, { event: 'trusted_issuer.deleted', actor: byUser(caller), target: target(id), before: { ...toResponse(before) } })
    return undefined
  })
