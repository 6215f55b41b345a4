// Completes a sign-in on our pages: sets the session cookie and redirects to where the person came from.

import type { RequestCtx } from '#shared/domains/context'
import type { MintedSession } from '#shared/domains/sign-in/session'
import { AppError } from '#shared/kernel/errors'
import { redirect } from '#shared/platform/http/pages/redirect'
import { HOME, safeReturn } from '#shared/platform/http/pages/return-to'
import { sessionCookie } from '#shared/platform/http/pages/session'
import { applicationCookie } from '#shared/platform/http/pages/sign-in-path'
import type { Cookie, HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { signOut } from './sessions.ts'

export type PageSignIn = {
  readonly minted: Pick<MintedSession, 'token' | 'expiresInSeconds' | 'cookies'>
  /** The application that the person signed in to; undefined at the platform's own page. */
  readonly clientId: string | undefined
  readonly cookies: readonly Cookie[]
  readonly returnTo: string | undefined
  /** The person signed in here before; that session ends, so that no unused session remains. */
  readonly before: User | undefined
  readonly temporaryPassword?: boolean
}

/** Routes that call this emit `user.signed_out`. */
export const finishPageSignIn = async (
  ctx: RequestCtx,
  { minted, clientId, cookies, returnTo, before, temporaryPassword = false }: PageSignIn,
): Promise<HttpResult<undefined>> => {
  if (before !== undefined) {
    await signOut(ctx, before).catch((error: unknown) => {
      // That session ended elsewhere meanwhile.
      if (!(error instanceof AppError)) throw error
    })
  }
  const path = safeReturn(returnTo) ?? HOME
  const next = temporaryPassword ? `/me/password?${new URLSearchParams({ return_to: path })}` : path
  return redirect(ctx, next, {
    cookies: [...minted.cookies, ...cookies, sessionCookie(ctx, minted), applicationCookie(ctx, clientId)],
    remember: { email: undefined, held: undefined },
  })
}
