// Redirects a browser to the next page, with a message for that page.
import type { PlatformRequestCtx } from '#shared/platform/context'
import { type Cookie, HttpResult, type StatusResult, withStatus } from '../route.ts'
import { currentVisit, readVisit, type Visit, visitCookie } from './visit.ts'

type RedirectOptions = {
  readonly cookies?: readonly Cookie[]
  readonly remember?: Partial<Visit>
  /** Code of the message on the next page: an action that succeeded, or input that was refused. */
  readonly say?: string
}

/** Post, redirect, get: going back or reloading repeats nothing. */
export const redirectResult = (
  ctx: PlatformRequestCtx,
  path: string,
  { cookies = [], remember, say }: RedirectOptions = {},
): HttpResult<StatusResult<303, undefined>> => {
  const { said: _, ...visit } = readVisit(ctx) ?? currentVisit(ctx)
  const next = { ...visit, ...remember, ...(say === undefined ? {} : { said: { page: path, code: say } }) }
  return new HttpResult(withStatus(303, undefined), { headers: { Location: path }, cookies: [...cookies, visitCookie(ctx, next)] })
}

/** As `redirectResult`, for routes that always redirect. */
export const redirect = (ctx: PlatformRequestCtx, path: string, more: RedirectOptions = {}): HttpResult<undefined> => {
  const { headers, cookies } = redirectResult(ctx, path, more)
  return new HttpResult(undefined, { headers, cookies })
}
