// The end of every way in: the browser gets its session, and goes on to where it was sent from.

import type { RequestCtx } from '#shared/domains/context'
import type { MintedSession } from '#shared/domains/sign-in/session'
import { AppError } from '#shared/kernel/errors'
import { redirect } from '#shared/platform/http/pages/redirect'
import { HOME, safeReturn } from '#shared/platform/http/pages/return-to'
import { sessionCookie } from '#shared/platform/http/pages/session'
import type { Cookie, HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { signOut } from './sessions.ts'

export type PageSignIn = {
  readonly minted: Pick<MintedSession, 'token' | 'expiresInSeconds' | 'cookies'>
  readonly cookies: readonly Cookie[]
  readonly returnTo: string | undefined
  /** Who was signed in here until now: that session ends, so that none is left behind that nobody sees. */
  readonly before: User | undefined
  readonly temporaryPassword?: boolean
}

/** Routes that call this emit `user.signed_out`. */
export const finishPageSignIn = async (
  ctx: RequestCtx,
  { minted, cookies, returnTo, before, temporaryPassword = false }: PageSignIn,
): Promise<HttpResult<undefined>> => {
  if (before !== undefined) {
    await signOut(ctx, before).catch((error: unknown) => {
      // Ended elsewhere meanwhile.
      if (!(error instanceof AppError)) throw error
    })
  }
  const path = safeReturn(returnTo) ?? HOME
  const next = temporaryPassword ? `/me/password?${new URLSearchParams({ return_to: path })}` : path
  return redirect(ctx, next, {
    cookies: [...minted.cookies, ...cookies, sessionCookie(ctx, minted)],
    remember: { email: undefined, held: undefined },
  })
}
