// The provider's answer to a sign-in that began on our own page: whoever it is comes in here, or goes on to the step that is owed.

import type * as z from 'zod'
import type { FederationPage } from '#db/store/federation-states'
import { finish } from '#shared/domains/account/page-session'
import { at } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { goTo } from '#shared/platform/http/pages/go'
import { type As, as, type Cookie, Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { CallbackQuery } from './callback.schema.ts'
import { redeem } from './exchange.ts'
import type { Ctx } from './group.ts'
import { askJoinCode } from './join.ts'
import { askLinkCode } from './link.ts'
import type { Entered, Outcome, Owed } from './outcome.ts'
import { proofCookie } from './ticket.ts'

export type Gone = Sent<As<303, undefined>>

/** Whoever comes in at the platform's door goes on at their company's. */
const doorOf = (page: DoorAsked, { tenant }: Entered): DoorAsked =>
  page.tenant !== undefined || page.client_id !== undefined || tenant === undefined ? page : { ...page, tenant: tenant.domain }

/** The session begins in this browser, or the second factor is asked for. Routes that call this emit `user.signed_out`. */
export const letIn = async (
  ctx: Ctx,
  page: DoorAsked,
  entered: Entered,
  before: User | undefined,
  cookies: readonly Cookie[] = [],
): Promise<Sent<undefined>> => {
  const here = onPage(ctx)
  const { done, user } = entered
  if (done.minted !== undefined) return finish(here, { minted: done.minted, cookies, returnTo: page.return_to, before })
  const path = at('/signin/factor', doorOf(page, entered))
  const { headers, cookies: own } = goTo(here, path, { cookies: [...done.cookies, ...cookies], remember: { email: user.email } })
  return new Sent(undefined, { headers, cookies: own })
}

/** The code is mailed at once: whoever is here has just shown that the provider knows the address as theirs. */
const owe = async (ctx: Ctx, page: FederationPage, owed: Owed): Promise<Gone> => {
  const cookies = [proofCookie(ctx, owed.ticket)]
  if (owed.step === 'registration') return goTo(ctx, at('/signup/provider', page), { cookies })
  await (owed.step === 'link' ? askLinkCode(ctx, owed.ticket) : askJoinCode(ctx, owed.ticket))
  return goTo(ctx, at('/signin/connect', page), { cookies })
}

export const lead = async (ctx: Ctx, page: FederationPage, outcome: Outcome, before: User | undefined): Promise<Gone> => {
  switch (outcome.kind) {
    case 'entered': {
      const { headers, cookies } = await letIn(ctx, page, outcome, before)
      return new Sent(as(303, undefined), { headers, cookies })
    }
    case 'choice':
      return goTo(ctx, at('/signin/accounts', page), { cookies: [proofCookie(ctx, outcome.ticket)] })
    case 'owed':
      return owe(ctx, page, outcome)
    case 'connected':
      return goTo(ctx, at('/signin', page))
  }
}

/** What is refused is told on the sign-in page, once. @throws AppError whatever redeeming throws, said on the page of the door */
export const goOn = async (
  ctx: Ctx,
  page: FederationPage,
  { code = '', state = '' }: z.output<typeof CallbackQuery>,
  isAnswered: boolean,
  before: User | undefined,
): Promise<Gone> => {
  const [here, saidOn] = [onPage(ctx), at('/signin', page)]
  // Somebody said no at the provider, or the answer was not its: `receive` has noted that.
  if (!isAnswered) return goTo(here, saidOn, { say: 'federation_failed' })
  try {
    return await lead(here, page, await redeem(here, { code, state }), before)
  } catch (error) {
    throw error instanceof AppError ? new AppError(error.code, error.message, { ...error.details, saidOn }) : error
  }
}
