// The way to the sign-in page. Every redirect to it is built here, so that the page knows whose people may sign in there.
import type { RequestInfo } from '#shared/kernel/context'
import { isUuid } from '#shared/kernel/ids'
import type { PlatformRequestCtx } from '#shared/platform/context'
import type { Cookie } from '../route.ts'
import { hostCookie } from './visit.ts'

const APPLICATION_SECONDS = 30 * 24 * 3600

/** The application at which this browser last signed in, or that it is about to sign in to. It grants nothing and proves nothing; undefined forgets it. */
export const applicationCookie = ({ request }: Pick<PlatformRequestCtx, 'request'>, clientId: string | undefined): Cookie => ({
  name: hostCookie('application', request.secure),
  value: isUuid(clientId) ? clientId : '',
  maxAgeSeconds: isUuid(clientId) ? APPLICATION_SECONDS : 0,
  sameSite: 'Lax',
})

export const applicationOf = (request: Pick<RequestInfo, 'cookie' | 'secure'>): string | undefined => {
  const id = request.cookie(hostCookie('application', request.secure))
  return isUuid(id) ? id : undefined
}

/** The application that a page of ours names. Below /oauth/ `client_id` is what the client is known by elsewhere. */
const namedBy = (page: string | undefined): string | undefined => {
  if (page === undefined || /^\/oauth2?\//.test(page)) return undefined
  return new URLSearchParams(page.split('?')[1] ?? '').get('client_id') ?? undefined
}

type SignIn = {
  /** The application or tenant of the request, where it is known. */
  readonly clientId?: string | undefined
  readonly lang?: string | undefined
  /** The person may come in as another one. */
  readonly other?: '1' | undefined
  /** The page at which the person continues. */
  readonly returnTo?: string | undefined
}

/** The sign-in page of the named application, else of the one that the page names, else of the one that this browser last signed in to. */
export const signInPath = (request: Pick<RequestInfo, 'cookie' | 'secure'>, { clientId, lang, other, returnTo }: SignIn = {}): string => {
  const known = [clientId, namedBy(returnTo), applicationOf(request)].find((id) => isUuid(id))
  const query = new URLSearchParams(
    Object.entries({ client_id: known, lang, other, return_to: returnTo }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  return query.size === 0 ? '/signin' : `/signin?${query}`
}
