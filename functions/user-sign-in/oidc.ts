// Continues a sign-in at the authorization server in a session of this API, with the factors that were verified there and no others.
import { consumeIdOnce } from '#db/store/oauth-authorizations'
import { readMainClientToken } from '#shared/domains/oauth/main-client-token'
import { afterFirstFactor } from '#shared/domains/sign-in/first-step'
import { factorMembers } from '#shared/domains/sign-in/login-response'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

/**
 * A token is accepted once, also under concurrency. The time of authentication is kept, so an old sign-in never counts as a recent one.
 * @throws AppError invalid_token, invalid_credentials
 */
export const loginByToken = async (ctx: Ctx, token: string) => {
  const { t, user, tenant, session, claims } = await readMainClientToken(ctx, token)
  const { tenantId, clientId, tokenId, expiresAt } = claims
  const done = await afterFirstFactor(ctx, {
    tenantId,
    user,
    clientId,
    mayMint: false,
    amr: session.amr,
    authTime: session.authTime,
    sourceSessionId: session.id,
    also: async (tx) => {
      if (await consumeIdOnce(tx, ctx.hash('oauth:first-step', tokenId), expiresAt)) return
      throw new AppError('invalid_token', undefined, { refusal: { tenantId: t.tenantId, userId: user.id, event: 'login.first_factor_verified' } })
    },
  })
  return new HttpResult(
    {
      tenant_id: tenantId as string,
      tenant_domain: tenant.domain,
      email: user.email,
      first_login: user.lastLoginAt === null,
      ...factorMembers(done.state.kinds, done.state.required),
      ...(done.transactionToken === undefined ? {} : { login_ticket: done.transactionToken }),
    },
    { cookies: done.cookies },
  )
}
