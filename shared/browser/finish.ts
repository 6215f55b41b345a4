// The end of every way in: the browser gets its session, and goes on to where it was sent from.
import { signOut } from '../account/sessions.ts'
import type { RequestCtx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { User } from '../http/principal.ts'
import type { Cookie, Sent } from '../http/route.ts'
import type { Minted } from '../sign-in/session.ts'
import { sendTo } from './go.ts'
import { HOME, safeReturn } from './return-to.ts'
import { sessionCookie } from './session.ts'

export type Finished = {
  readonly minted: Pick<Minted, 'token' | 'expiresInSeconds' | 'cookies'>
  readonly cookies: readonly Cookie[]
  readonly returnTo: string | undefined
  /** Who was signed in here until now: that session ends, so that none is left behind that nobody sees. */
  readonly before: User | undefined
  readonly temporaryPassword?: boolean
}

/** Routes that call this emit `user.signed_out`. */
export const finish = async (
  ctx: RequestCtx,
  { minted, cookies, returnTo, before, temporaryPassword = false }: Finished,
): Promise<Sent<undefined>> => {
  if (before !== undefined) {
    await signOut(ctx, before).catch((error: unknown) => {
      // Ended elsewhere meanwhile.
      if (!(error instanceof AppError)) throw error
    })
  }
  const path = safeReturn(returnTo) ?? HOME
  const next = temporaryPassword ? `/me/password?${new URLSearchParams({ return_to: path })}` : path
  return sendTo(ctx, next, { cookies: [...minted.cookies, ...cookies, sessionCookie(ctx, minted)], remember: { email: undefined, held: undefined } })
}
