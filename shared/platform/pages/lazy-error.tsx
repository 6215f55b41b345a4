import { signInPath } from '#shared/platform/http/pages/sign-in-path'
import { type ErrorRenderer, outcomeError } from '#shared/platform/http/problem'

/** The error pages, for groups that mostly serve clients: loaded with the first page. */
export const lazyPageError: ErrorRenderer = async (...failure) => (await import('./error.tsx')).pageError(...failure)

/** A browser gets a page that leads to sign-in; other callers get the API's error format. */
export const outcomeErrorOrPage: ErrorRenderer = (error, requestId, at, context) => {
  if (context?.request === undefined || !(context.request.header('accept') ?? '').includes('text/html'))
    return outcomeError(error, requestId, at, context)
  const page = signInPath(context.request)
  return lazyPageError(error, requestId, at, { ...context, request: { ...context.request, method: 'GET', page }, next: page })
}
