// Where a browser is led on to, and what the next page says.
import type { PlatformRequestCtx } from '#shared/platform/context'
import { type Cookie, HttpResult, type StatusResult, withStatus } from '../route.ts'
import { currentVisit, readVisit, type Visit, visitCookie } from './visit.ts'

type Onward = {
  readonly cookies?: readonly Cookie[]
  readonly remember?: Partial<Visit>
  /** Code of what the next page says: something done, or what was not accepted. */
  readonly say?: string
}

/** Post, redirect, get: back and reload repeat nothing. */
export const redirectResult = (
  ctx: PlatformRequestCtx,
  path: string,
  { cookies = [], remember, say }: Onward = {},
): HttpResult<StatusResult<303, undefined>> => {
  const { said: _, ...visit } = readVisit(ctx) ?? currentVisit(ctx)
  const next = { ...visit, ...remember, ...(say === undefined ? {} : { said: { page: path, code: say } }) }
  return new HttpResult(withStatus(303, undefined), { headers: { Location: path }, cookies: [...cookies, visitCookie(ctx, next)] })
}

/** As `goTo`, for what only ever leads on. */
export const redirect = (ctx: PlatformRequestCtx, path: string, more: Onward = {}): HttpResult<undefined> => {
  const { headers, cookies } = redirectResult(ctx, path, more)
  return new HttpResult(undefined, { headers, cookies })
}
