// Checks that a form was sent by one of our own pages, in this browser, by the person who is signed in (OWASP: synchroniser token, together with
// Fetch Metadata).

import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import type { PlatformCtx, PlatformRequestCtx } from '#shared/platform/context'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sessionToken } from './session.ts'
import { readVisit } from './visit.ts'

/** Name of the form field that carries the token. */
export const FORM_TOKEN = 'form_token'

/** The origin that the browser uses. Links that leave the system are built from BASE_URL instead. */
export const pageOrigin = (request: Pick<RequestInfo, 'host' | 'secure'>): string => `${request.secure ? 'https' : 'http'}://${request.host}`

/** Browsers send no Origin header with a GET; on a page it is the page's own origin. */
export const withPageOrigin = <C extends { readonly request: RequestInfo }>(ctx: C): C => ({
  ...ctx,
  request: { ...ctx.request, origin: pageOrigin(ctx.request) },
})

/** The form token: bound to the browser and to its session, if any. A form that was open before another person signed in is refused. */
export const formToken = (ctx: Pick<PlatformCtx, 'hash'>, request: RequestInfo, browser: string): string =>
  Buffer.from(ctx.hash('form', browser, sessionToken({ request }) ?? '')).toString('base64url')

/**
 * Requires that one of our pages token the form, by Fetch Metadata and Origin; checked before the form is read. A browser that sends neither is too
 * old to be trusted.
 * @throws AppError cross_site
 */
export const requireOwnPage = ({ config }: Pick<PlatformCtx, 'config'>, request: RequestInfo): void => {
  const site = request.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') throw new AppError('cross_site')
  const own = [pageOrigin(request), new URL(config.BASE_URL).origin]
  if (request.origin === undefined ? site === undefined : !own.includes(request.origin)) throw new AppError('cross_site')
}

/**
 * Requires that a person pressed the button (Fetch Metadata, `Sec-Fetch-User`): a script cannot set that header. Browsers without Fetch Metadata
 * pass.
 * @throws AppError cross_site
 */
export const requireUserGesture = ({ request }: Pick<PlatformRequestCtx, 'request'>): void => {
  if (request.header('sec-fetch-site') !== undefined && request.header('sec-fetch-user') !== '?1') throw new AppError('cross_site')
}

/**
 * Requires that a person followed a link on one of our pages. A token would end up in the URL, so Fetch Metadata alone must prove it; a browser that
 * sends none is refused.
 * @throws AppError cross_site
 */
export const requireSameOriginNavigation = ({ request }: Pick<PlatformRequestCtx, 'request'>): void => {
  if (request.header('sec-fetch-site') !== 'same-origin' || request.header('sec-fetch-user') !== '?1') throw new AppError('cross_site')
}

/** @throws AppError form_expired */
export const requireFormToken = (ctx: Pick<PlatformRequestCtx, 'hash'>, request: RequestInfo, form: unknown): void => {
  const token = (form as Readonly<Record<string, unknown>> | undefined)?.[FORM_TOKEN]
  const visit = readVisit({ request })
  if (visit === undefined || typeof token !== 'string' || !constantTimeEqual(token, formToken(ctx, request, visit.browser)))
    throw new AppError('form_expired')
}
