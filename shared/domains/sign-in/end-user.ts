// An end user signs in to an application with a password: never a token, always a login transaction for the next step.

import { forTenant } from '#db/engine/tenant'
import { type FactorKind, findUserByEmail } from '#db/store/users'
import { type Application, findApplication } from '#shared/domains/clients/application'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import { checkPassword, invalidCredentials, requireProvedAddress } from './check-password.ts'
import { afterPassword } from './first-step.ts'
import { factorMembers, temporaryMembers } from './login-response.ts'

export type EndUserCredentials = { readonly client_id: string; readonly email: string; readonly password: string }

/** An unknown client gets the answer of a wrong password: client ids are public, but the people who sign in at a client are not. */
const doorOrUndefined = (ctx: RequestCtx, clientId: string): Promise<Application | undefined> =>
  findApplication(ctx, clientId).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'invalid_client') return undefined
    throw error
  })

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, email_not_verified */
export const loginEndUser = async (ctx: RequestCtx, body: EndUserCredentials) => {
  const application = await doorOrUndefined(ctx, body.client_id)
  const { user, tenant, snapshot } = await checkPassword(ctx, application?.tenantId, body.email, body.password)
  if (application === undefined) throw invalidCredentials(undefined, undefined)
  requireProvedAddress(ctx, tenant, user)
  const done = await afterPassword(ctx, { tenantId: application.tenantId, user, snapshot, clientId: application.clientId, mayMint: false })
  const kinds: readonly FactorKind[] = done.state.kinds
  return new HttpResult(
    {
      tenant_id: application.tenantId as string,
      ...(done.state.tenant === undefined ? {} : { tenant_domain: done.state.tenant.domain }),
      email: user.email,
      first_login: user.isSyncedUser || user.lastLoginAt === null,
      ...factorMembers(kinds, done.state.required),
      ...(done.transactionToken === undefined ? {} : { login_ticket: done.transactionToken }),
      ...temporaryMembers(user),
    },
    { cookies: done.cookies },
  )
}

/** The account of an address at an application, for deployments that disclose accounts. */
export const findApplicationUser = (ctx: RequestCtx, application: Application, email: string) =>
  findUserByEmail(forTenant(ctx.db, application.tenantId), email)
