// A forgotten password, on our own pages. Each step answers the same whoever the address belongs to.

import { SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { loadTicket, readHandle } from '#shared/domains/login-transaction/login-transaction'
import { requestReset, resetPassword, verifyResetCode } from '#shared/domains/recovery/reset'
import { chooseAdministratorTenant } from '#shared/domains/sign-in/choose-tenant'
import { at, findDoor } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import { endedSessionCookie } from '#shared/platform/http/pages/session'
import { heldAlso } from '#shared/platform/http/pages/visit'
import type { Sent } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

type Meant = { readonly kind: 'admin_reset' | 'user_reset'; readonly tenantId: TenantId | undefined }

const meant = async (ctx: Ctx, asked: DoorAsked, email: string): Promise<Meant> => {
  const door = await findDoor(ctx, asked)
  if (door.kind === 'platform') return { kind: 'admin_reset', tenantId: await chooseAdministratorTenant(onPage(ctx), { email }) }
  return { kind: 'user_reset', tenantId: door.kind === 'tenant' ? door.tenantId : undefined }
}

export const askForCode = async (ctx: Ctx, asked: DoorAsked, email: string): Promise<Sent<undefined>> => {
  const { kind, tenantId } = await meant(ctx, asked, email)
  await requestReset(ctx, kind, tenantId, email)
  return sendTo(ctx, at('/recover/code', asked), { remember: { email, ...heldAlso(ctx, { recover: email }) } })
}

/** @throws AppError invalid_code */
export const checkCode = async (ctx: Ctx, asked: DoorAsked, email: string, otp: string): Promise<Sent<undefined>> => {
  const { kind, tenantId } = await meant(ctx, asked, email)
  const { cookie } = await verifyResetCode(onPage(ctx), { kind, tenantId: tenantId ?? SYSTEM_TENANT, email, otp, failure: 'invalid_code' })
  return sendTo(ctx, at('/recover/password', asked), { cookies: [cookie], remember: { email } })
}

/** Whether this browser proved a code a moment ago. */
export const hasProof = async (ctx: Ctx): Promise<boolean> => {
  const here = onPage(ctx)
  return (await loadTicket(here, 'password_reset', readHandle(here, 'password_reset'))) !== undefined
}

/** Whoever was signed in here is not any more: all sessions of the account end. @throws AppError reset_not_verified, password_* */
export const saveNew = async (ctx: Ctx, asked: DoorAsked, email: string, newPassword: string): Promise<Sent<undefined>> => {
  const given = { email, newPassword, resetToken: undefined, tenantId: undefined, failure: 'reset_not_verified' } as const
  const cookie = await resetPassword(onPage(ctx), given)
  return sendTo(ctx, at('/signin/password', asked), { cookies: [cookie, endedSessionCookie(ctx)], remember: { email }, say: 'password_reset' })
}
