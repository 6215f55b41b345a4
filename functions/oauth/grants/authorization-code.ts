// A code becomes tokens, once (RFC 6749 section 4.1.3, RFC 7636). Whoever shows it again ends what came from it.

import { atomically, forTenant } from '#db/engine/tenant'
import { type CodeRedemption, findUsedCode, redeemCode } from '#db/store/oauth-authorizations'
import { findClientAndCode, redeemInOneStatement } from '#db/store/oauth-code-flow'
import { type AuthorizationState, revokeAuthorization } from '#db/store/oauth-families'
import type { Details } from '#shared/domains/oauth/details'
import { newFamily, readHandle } from '#shared/domains/oauth/handles'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { type AuditEntry, byClient, prepareAuditEvents, recordEvent } from '#shared/platform/audit/audit-log'
import { sha256 } from '#shared/platform/crypto/sha256'
import { type Choose, chooser } from '../chosen.ts'
import { authenticateBeside, authenticateClient, type ClientForm } from '../client-authentication.ts'
import type { Ctx } from '../group.ts'
import type { Asked, Grant } from '../token-request.ts'
import { standingScopes, tokensOfPerson } from '../token-set.ts'
import { OFFLINE_SECONDS, ONLINE_SECONDS } from './lifetimes.ts'

const VERIFIER = /^[\w.~-]{43,128}$/

type Redeemed = { readonly id: string; readonly standing: AuthorizationState; readonly scopes: readonly string[]; readonly details: Details }

/** @throws AppError invalid_grant when the code was used before: then nothing that came from it counts any more */
const refuseReplay = async (ctx: Ctx, { client }: Asked, codeHash: Uint8Array): Promise<never> => {
  const t = forTenant(ctx.db, client.tenantId)
  const used = await findUsedCode(t, codeHash, client.clientId)
  if (used !== undefined) {
    await atomically(t, async (tx) => {
      if (!(await revokeAuthorization(tx, used.id, ctx.clock.now(), 'code_replayed'))) return
      const target = { type: 'authorization', id: used.id }
      await recordEvent(tx, ctx, {
        event: 'oauth.authorization_revoked',
        actor: byClient(client.clientId, used.userId),
        target,
        after: { reason: 'code_replayed' },
      })
    })
  }
  throw new AppError('invalid_grant')
}

/** The client, proved, and what is behind the code that it shows. @throws AppError invalid_request, client_authentication_failed, quota_exceeded, rate_limited */
export const whoShowsCode = async (ctx: Ctx, form: ClientForm): Promise<Pick<Asked, 'client' | 'behind'>> => {
  const code = readHandle(form.code ?? '')
  if (code === undefined) return { client: await authenticateClient(ctx, form) }
  const { client, beside } = await authenticateBeside(ctx, form, (t, of) => findClientAndCode(t, { ...of, codeHash: code.hash }))
  return { client, behind: code.tenantId === client.tenantId ? beside : undefined }
}

const issued = ({ client }: Asked, { id, standing, scopes }: Pick<Redeemed, 'id' | 'standing' | 'scopes'>): AuditEntry => ({
  event: 'oauth.tokens_issued',
  actor: byClient(client.clientId, standing.userId),
  target: { type: 'authorization', id },
  after: { scopes, resource: standing.resource?.resource ?? null },
})

/** Undefined where it was not looked at yet, asks for something in particular, or turns out to be otherwise: the longer way says what is so. */
const redeemAsRead = async (ctx: Ctx, asked: Asked, redemption: CodeRedemption): Promise<Redeemed | undefined> => {
  const { client, form, behind } = asked
  const isPlain = form.authorization_details === undefined && (form.resource === undefined || form.resource === behind?.standing.resource?.resource)
  if (behind === undefined || !isPlain) return undefined
  const t = forTenant(ctx.db, client.tenantId)
  const { id, standing: read } = behind
  const redeemed = (standing: AuthorizationState): Redeemed => ({ id, standing, scopes: standingScopes(standing), details: standing.details })
  const events = await prepareAuditEvents(t, ctx, issued(asked, redeemed(read)))
  const standing = events && (await redeemInOneStatement(t, redemption, read, events))
  return standing && redeemed(standing)
}

/** What is thrown here leaves the code as it was. */
const redeem = (ctx: Ctx, asked: Asked, redemption: CodeRedemption, choose: Choose): Promise<Redeemed | undefined> =>
  atomically(forTenant(ctx.db, asked.client.tenantId), async (t) => {
    const redeemed = await redeemCode(t, redemption)
    if (redeemed === undefined) return undefined
    const { id, standing } = redeemed
    const { resource } = asked.form
    if (resource !== undefined && resource !== standing.resource?.resource) throw new AppError('invalid_target')
    const scopes = standingScopes(standing)
    const details = choose(standing.details)
    await recordEvent(t, ctx, issued(asked, { id, standing, scopes }))
    return { id, standing, scopes, details }
  })

/** @throws AppError invalid_request, invalid_grant, invalid_target, invalid_authorization_details */
export const authorizationCode: Grant = async (ctx, asked) => {
  const { client, form, jkt } = asked
  if (form.code === undefined) throw new AppError('invalid_request', 'code is missing.')
  if (form.code_verifier === undefined) throw new AppError('invalid_request', 'code_verifier is missing.')
  const handle = readHandle(form.code)
  if (handle === undefined || handle.tenantId !== client.tenantId || !VERIFIER.test(form.code_verifier)) throw new AppError('invalid_grant')
  const [family, now] = [newFamily(ctx), ctx.clock.now()]
  const redemption = {
    codeHash: handle.hash,
    clientId: client.clientId,
    codeChallenge: Buffer.from(sha256(form.code_verifier)).toString('base64url'),
    redirectUri: form.redirect_uri,
    jkt,
    now,
    familyHash: sha256(family),
    offlineUntil: secondsAfter(now, OFFLINE_SECONDS),
    onlineUntil: secondsAfter(now, ONLINE_SECONDS),
  }
  const choose = await chooser(form.authorization_details)
  const redeemed = (await redeemAsRead(ctx, asked, redemption)) ?? (await redeem(ctx, asked, redemption, choose))
  if (redeemed === undefined) return refuseReplay(ctx, asked, handle.hash)
  const { id, standing, scopes, details } = redeemed
  const refresh = client.grantTypes.includes('refresh_token') ? { generation: standing.generation, family } : undefined
  return tokensOfPerson(ctx, {
    tenantId: client.tenantId,
    publicId: client.publicId,
    authorizationId: id,
    standing,
    scopes,
    details,
    jkt,
    nonce: standing.nonce,
    refresh,
  })
}
