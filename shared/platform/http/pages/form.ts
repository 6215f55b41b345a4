// Whether a form was sent by one of our own pages, in this browser, by the person who is signed in there (OWASP: synchroniser token, beside the browser's
// own word about where the request comes from).

import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import type { PlatformCtx, PlatformRequestCtx } from '#shared/platform/context'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sessionToken } from './session.ts'
import { readVisit } from './visit.ts'

/** The field of every form that carries the token. */
export const FORM_TOKEN = 'form_token'

/** Where the browser believes to be. Never taken for where we are: a link that leaves the system is made from BASE_URL. */
export const pageOrigin = (request: Pick<RequestInfo, 'host' | 'secure'>): string => `${request.secure ? 'https' : 'http'}://${request.host}`

/** A browser says nothing of its origin when it only reads; for a page it is where the page is. */
export const withPageOrigin = <C extends { readonly request: RequestInfo }>(ctx: C): C => ({
  ...ctx,
  request: { ...ctx.request, origin: pageOrigin(ctx.request) },
})

/** Bound to the browser, and to the session that it holds, if any: a form that was open before somebody else signed in does nothing. */
export const formToken = (ctx: Pick<PlatformCtx, 'hash'>, request: RequestInfo, browser: string): string =>
  Buffer.from(ctx.hash('form', browser, sessionToken({ request }) ?? '')).toString('base64url')

/**
 * Before anything of the form is read: the browser itself says that one of our pages sent it. A browser that says nothing is too old to be safe here.
 * @throws AppError cross_site
 */
export const requireOwnPage = ({ config }: Pick<PlatformCtx, 'config'>, request: RequestInfo): void => {
  const site = request.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') throw new AppError('cross_site')
  const own = [pageOrigin(request), new URL(config.BASE_URL).origin]
  if (request.origin === undefined ? site === undefined : !own.includes(request.origin)) throw new AppError('cross_site')
}

/**
 * For what must be meant: a person pressed the button. A browser that says what it sends says that too (Fetch Metadata, `Sec-Fetch-User`); a script that sends
 * the form cannot make it say so.
 * @throws AppError cross_site
 */
export const requireUserGesture = ({ request }: Pick<PlatformRequestCtx, 'request'>): void => {
  if (request.header('sec-fetch-site') !== undefined && request.header('sec-fetch-user') !== '?1') throw new AppError('cross_site')
}

/**
 * For a link that begins something: a person followed it on one of our pages. It carries no token, which would stand in the address; the browser's own word has
 * to do, and one that says nothing is too old to be safe here.
 * @throws AppError cross_site
 */
export const requireSameOriginNavigation = ({ request }: Pick<PlatformRequestCtx, 'request'>): void => {
  if (request.header('sec-fetch-site') !== 'same-origin' || request.header('sec-fetch-user') !== '?1') throw new AppError('cross_site')
}

/** @throws AppError form_expired */
export const requireFormToken = (ctx: Pick<PlatformRequestCtx, 'hash'>, request: RequestInfo, form: unknown): void => {
  const sent = (form as Readonly<Record<string, unknown>> | undefined)?.[FORM_TOKEN]
  const visit = readVisit({ request })
  if (visit === undefined || typeof sent !== 'string' || !constantTimeEqual(sent, formToken(ctx, request, visit.browser)))
    throw new AppError('form_expired')
}
