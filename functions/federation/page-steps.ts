// The steps of a sign-in through a provider on our own pages. The ticket is in the browser's cookie; what it is worth the rules of the API say.

import { asTenantId, forTenant } from '#db/engine/tenant'
import { findIdentity } from '#db/store/identities'
import { at } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { choose } from './discover.ts'
import type { Ctx } from './group.ts'
import { askJoinCode, confirmJoin } from './join.ts'
import { askLinkCode, confirmLink } from './link.ts'
import { letIn } from './page-end.ts'
import { askRegistrationCode, completeRegistration } from './register.ts'
import { comeIn, noAccount } from './sign-in.ts'
import { type Held, heldProof, type Kind, spentProofCookie } from './ticket.ts'

/** What the browser's ticket of that kind holds, as long as it counts. */
export const heldOn = (ctx: Ctx, kind: Kind): Promise<Held | undefined> =>
  heldProof(onPage(ctx), kind, undefined).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'federation_ticket_invalid') return undefined
    throw error
  })

type Step = DoorAsked

/** Both steps look alike: a code, and its owner is in. @throws AppError federation_ticket_invalid, invalid_code, … */
export const connect = async (ctx: Ctx, asked: Step, code: string, before: User | undefined): Promise<Sent<undefined>> => {
  const here = onPage(ctx)
  const isJoin = (await heldOn(ctx, 'join')) !== undefined
  const entered = isJoin ? await confirmJoin(here, { code }) : await confirmLink(here, { code })
  return letIn(ctx, asked, entered, before, [spentProofCookie(ctx)])
}

/** @throws AppError federation_ticket_invalid, too_many_codes, quota_exceeded */
export const anotherCode = async (ctx: Ctx, asked: Step): Promise<Sent<undefined>> => {
  const here = onPage(ctx)
  const isJoin = (await heldOn(ctx, 'join')) !== undefined
  await (isJoin ? askJoinCode(here, undefined) : askLinkCode(here, undefined))
  return sendTo(ctx, at('/signin/connect', asked), { say: 'code_sent' })
}

/** @throws AppError federation_ticket_invalid, federation_no_account, … */
export const chooseAccount = async (ctx: Ctx, asked: Step, tenantId: string, before: User | undefined): Promise<Sent<undefined>> =>
  letIn(ctx, asked, await choose(onPage(ctx), undefined, tenantId), before, [spentProofCookie(ctx)])

type Company = { readonly tenant_domain: string; readonly otp?: string | undefined }

/** Who its administrator is the ticket says. The company begins with its administrator in it. @throws AppError tenant_domain_*, email_confirmation_required, … */
export const registerCompany = async (ctx: Ctx, asked: Step, company: Company, before: User | undefined): Promise<Sent<undefined>> => {
  const here = onPage(ctx)
  const { proof } = await heldProof(here, 'registration', undefined)
  const { issuer, subject, email = '' } = proof.profile
  const { tenant_domain, otp } = company
  const body = { tenant_domain, provider: proof.provider, email, provider_user_id: subject, ...(otp === undefined ? {} : { otp }) }
  const { result } = await completeRegistration(here, body)
  const tenantId = asTenantId(result.tenant_id)
  const identity = await findIdentity(forTenant(ctx.db, tenantId), issuer, subject)
  if (identity === undefined) throw noAccount(tenantId)
  const entered = await comeIn(here, tenantId, identity, proof)
  return letIn(ctx, asked, entered, before, [spentProofCookie(ctx)])
}

/** @throws AppError federation_ticket_invalid, email_missing, sign_up_closed, too_many_codes, quota_exceeded */
export const companyCode = async (ctx: Ctx, asked: Step): Promise<Sent<undefined>> => {
  await askRegistrationCode(onPage(ctx), undefined)
  return sendTo(ctx, at('/signup/provider', asked), { say: 'code_sent' })
}
