// Where a browser is led on to, and what the next page says.
import type { PlatformRequestCtx } from '#shared/platform/context'
import { type As, as, type Cookie, Sent } from '../route.ts'
import { readVisit, type Visit, visitCookie, visitOf } from './visit.ts'

type Onward = {
  readonly cookies?: readonly Cookie[]
  readonly remember?: Partial<Visit>
  /** Code of what the next page says: something done, or what was not accepted. */
  readonly say?: string
}

/** Post, redirect, get: back and reload repeat nothing. */
export const goTo = (ctx: PlatformRequestCtx, path: string, { cookies = [], remember, say }: Onward = {}): Sent<As<303, undefined>> => {
  const { said: _, ...visit } = readVisit(ctx) ?? visitOf(ctx)
  const next = { ...visit, ...remember, ...(say === undefined ? {} : { said: { page: path, code: say } }) }
  return new Sent(as(303, undefined), { headers: { Location: path }, cookies: [...cookies, visitCookie(ctx, next)] })
}

/** As `goTo`, for what only ever leads on. */
export const sendTo = (ctx: PlatformRequestCtx, path: string, more: Onward = {}): Sent<undefined> => {
  const { headers, cookies } = goTo(ctx, path, more)
  return new Sent(undefined, { headers, cookies })
}
