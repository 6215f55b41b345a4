// A person signs in on our own page, with a password first. The same rules as at the doors of the API.

import type { TenantId } from '#db/engine/tenant'
import type { Account } from '#db/store/sign-in'
import { finish } from '#shared/domains/account/page-session'
import { checkPassword, type Judged, refused, requireProvedAddress } from '#shared/domains/sign-in/check-password'
import { chooseAdministratorTenant } from '#shared/domains/sign-in/choose-tenant'
import { afterPassword } from '#shared/domains/sign-in/first-step'
import { at, findDoor, type PageDoor } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { atLeast } from '#shared/platform/tokens/acr'
import type { Ctx } from './group.ts'

type Credentials = { readonly email: string; readonly password: string }
type Identified = { readonly tenantId: TenantId; readonly user: Account; readonly clientId: string | undefined; readonly judged: Judged | undefined }

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, email_not_verified */
const identify = async (ctx: Ctx, door: PageDoor, { email, password }: Credentials): Promise<Identified> => {
  const tenantId =
    door.kind === 'tenant' ? door.tenantId : door.kind === 'platform' ? await chooseAdministratorTenant(onPage(ctx), { email }) : undefined
  const { user, tenant, administers, judged } = await checkPassword(ctx, tenantId, email, password)
  if (tenantId === undefined) throw refused(undefined, undefined)
  if (door.kind === 'platform' && !administers) throw refused(tenantId, user.id)
  requireProvedAddress(ctx, tenant, user)
  return { tenantId, user, judged, clientId: door.kind === 'tenant' ? door.clientId : undefined }
}

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, email_not_verified, quota_exceeded */
export const signIn = async (ctx: Ctx, asked: DoorAsked, credentials: Credentials, before: User | undefined): Promise<Sent<undefined>> => {
  const who = await identify(ctx, await findDoor(ctx, asked), credentials)
  const done = await afterPassword(onPage(ctx), { ...who, mayMint: true })
  if (done.minted === undefined) return sendTo(ctx, at('/signin/factor', asked), { cookies: done.cookies, remember: { email: who.user.email } })
  return finish(ctx, { minted: done.minted, cookies: [], returnTo: asked.return_to, before, temporaryPassword: who.user.temporaryPassword })
}

/** Whoever it is: only whose the domain of the address is decides where it goes on. */
export const nameAddress = async (ctx: Ctx, asked: DoorAsked, email: string): Promise<Sent<undefined>> => {
  const { homeRealm } = await import('#shared/domains/federation/home-realm')
  const realm = await homeRealm(ctx, email, await findDoor(ctx, asked))
  return sendTo(ctx, at(realm === undefined ? '/signin/password' : '/signin/company', asked), { remember: { email } })
}

export type Demand = { readonly max_age?: string | undefined; readonly acr_values?: string | undefined; readonly return_to?: string | undefined }

/** Whether the session is as fresh and as strong as was asked (RFC 9470 section 3). */
export const meets = (ctx: Pick<Ctx, 'clock'>, principal: User, { max_age, acr_values }: Demand): boolean => {
  const age = (ctx.clock.now().getTime() - principal.authTime.getTime()) / 1000
  const wanted = acr_values?.split(' ') ?? []
  return (max_age === undefined || age <= Number(max_age)) && (wanted.length === 0 || wanted.some((acr) => atLeast(principal.acr, acr)))
}

/**
 * The password again, of whoever is signed in: a new session takes the place of this one.
 * @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, quota_exceeded
 */
export const confirm = async (ctx: Ctx, principal: User, demand: Demand, password: string): Promise<Sent<undefined>> => {
  const { tenantId, clientId, email } = principal
  const { user, judged } = await checkPassword(ctx, tenantId, email, password)
  // The principal was read up to a second ago: the address may be somebody else's by now.
  if (user.id !== principal.userId) throw new AppError('invalid_credentials')
  const done = await afterPassword(onPage(ctx), { tenantId, user, judged, clientId, mayMint: true })
  if (done.minted === undefined) {
    return sendTo(ctx, at('/signin/factor', { return_to: demand.return_to }), { cookies: done.cookies, remember: { email } })
  }
  return finish(ctx, { minted: done.minted, cookies: [], returnTo: demand.return_to, before: principal })
}
