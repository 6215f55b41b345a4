import { type ErrorRenderer, outcomeError } from '#shared/platform/http/problem'

/** The hosted pages' failures, for groups whose callers are mostly clients: loaded when somebody looks at a page. */
export const lazyPageError: ErrorRenderer = async (...failure) => (await import('./error.tsx')).pageError(...failure)

/** A person with a browser reads a page, which leads to the beginning; everything else reads what it always read. */
export const outcomeErrorOrPage: ErrorRenderer = (error, requestId, at, asked) => {
  if (asked === undefined || !(asked.request.header('accept') ?? '').includes('text/html')) return outcomeError(error, requestId, at, asked)
  return lazyPageError(error, requestId, at, { ...asked, request: { ...asked.request, method: 'GET', page: '/signin' } })
}
