// Authorization servers elsewhere: whose assertions earn tokens here, and for which assertions about our people are made. One tenant's trust is no other's.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant } from '#db/engine/tenant'
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
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { judgeUrl } from '#shared/platform/fetch/target'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { IssuerChange, IssuerList, IssuerOut, NewIssuer } from './issuers.schema.ts'

const MOST_ISSUERS = 200
type Out = z.input<typeof IssuerOut>
type Accepts = NonNullable<z.output<typeof NewIssuer>['accepts']>

const shown = (row: TrustedIssuer): Out => ({
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
  const { name, active, accepts, sends } = shown(row)
  return etagOf([name, active, accepts, sends])
}
const tagged = (row: TrustedIssuer): Sent<Out> => new Sent(shown(row), { headers: { ETag: tagOf(row) } })
const target = (id: string) => ({ type: 'trusted_issuer', id })

const refused = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

const requireUrl = (ctx: Ctx, field: string, url: string): void => {
  const judged = judgeUrl(url, ctx.outbound)
  if (typeof judged === 'string') throw refused(field, `is refused (${judged})`)
}

/** Our own word counts nowhere here: one issuer speaks for all companies of this deployment. @throws AppError invalid_request */
const requireIssuer = (ctx: Ctx, issuer: string): void => {
  requireUrl(ctx, 'body.issuer', issuer)
  const [theirs, ours] = [new URL(issuer), new URL(ctx.config.BASE_URL)]
  if (theirs.origin === ours.origin || issuer.includes('?')) throw refused('body.issuer', 'must be of another server')
}

const acceptsOf = (ctx: Ctx, accepts: Accepts | null): Partial<NewTrustedIssuer> => {
  if (accepts === null) return { acceptsIdentity: false, acceptsJwt: false, jwksUri: null, jwks: null, scopes: null, subjectMapping: 'identity' }
  const { jwks_uri: jwksUri, jwks } = accepts
  if (!accepts.identity_assertions && !accepts.jwt) throw refused('body.accepts', 'accepts nothing')
  if ((jwksUri === undefined) === (jwks === undefined)) throw refused('body.accepts', 'needs either jwks_uri or jwks')
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

/** @throws AppError invalid_request, issuer_exists, quota_exceeded */
export const createIssuer = async (ctx: Ctx, caller: User, asked: z.output<typeof NewIssuer>): Promise<Out> => {
  requireIssuer(ctx, asked.issuer)
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const row = { id, name: asked.name, issuer: asked.issuer, active: asked.active, validFrom: at, createdAt: at, updatedAt: at }
  const change = { ...acceptsOf(ctx, asked.accepts), ...sendsOf(asked.sends) }
  try {
    return await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      if ((await listIssuers(t, MOST_ISSUERS)).length >= MOST_ISSUERS) throw new AppError('quota_exceeded')
      await insertIssuer(t, { ...row, ...change })
      const inserted = await findIssuer(t, id)
      if (inserted === undefined) throw new Error('the issuer was just added')
      await record(t, ctx, { event: 'trusted_issuer.created', actor: byUser(caller), target: target(id), after: { ...shown(inserted) } })
      return shown(inserted)
    })
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('issuer_exists', undefined, { field: 'body.issuer' }, error)
    throw error
  }
}

export const allIssuers = async (ctx: Ctx, caller: User): Promise<z.input<typeof IssuerList>> => ({
  trusted_issuers: (await listIssuers(forTenant(ctx.db, caller.tenantId), MOST_ISSUERS)).map(shown),
})

/** @throws AppError not_found */
export const readIssuer = async (ctx: Ctx, caller: User, id: string): Promise<Sent<Out>> => {
  const row = await findIssuer(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return tagged(row)
}

/** What was made of its word before counts no more. @throws AppError precondition_required, precondition_failed, not_found, invalid_request */
export const changeIssuer = (ctx: Ctx, caller: User, id: string, asked: z.output<typeof IssuerChange>): Promise<Sent<Out>> => {
  const judge = preconditionOf(ctx, 'required')
  const change = {
    ...(asked.name === undefined ? {} : { name: asked.name }),
    ...(asked.active === undefined ? {} : { active: asked.active }),
    ...(asked.accepts === undefined ? {} : acceptsOf(ctx, asked.accepts)),
    ...(asked.sends === undefined ? {} : sendsOf(asked.sends)),
  }
  return atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockIssuer(t, id)
    if (before === undefined) throw new AppError('not_found')
    judge(tagOf(before))
    const at = ctx.clock.now()
    const isTrustChanged = asked.active !== undefined || asked.accepts !== undefined
    const after = await updateIssuer(t, id, { ...change, updatedAt: at, ...(isTrustChanged ? { validFrom: at } : {}) })
    if (after === undefined) throw new AppError('not_found')
    const told = { before: { ...shown(before) }, after: { ...shown(after) } }
    await record(t, ctx, { event: 'trusted_issuer.updated', actor: byUser(caller), target: target(id), ...told })
    return tagged(after)
  })
}

/** What was made of its word counts no more. @throws AppError not_found */
export const removeIssuer = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockIssuer(t, id)
    if (before === undefined) throw new AppError('not_found')
    await deleteIssuer(t, id)
    await record(t, ctx, { event: 'trusted_issuer.deleted', actor: byUser(caller), target: target(id), before: { ...shown(before) } })
    return undefined
  })
