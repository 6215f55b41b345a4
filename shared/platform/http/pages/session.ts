// The session of the hosted pages: a session token in an HttpOnly cookie. The API never accepts it, because browsers send cookies with cross-site
// requests.

import type { PlatformRequestCtx } from '#shared/platform/context'
import type { Cookie } from '../route.ts'
import { hostCookie } from './visit.ts'

type Deps = Pick<PlatformRequestCtx, 'request'>

export const sessionCookie = ({ request }: Deps, minted: { readonly token: string; readonly expiresInSeconds: number }): Cookie => ({
  name: hostCookie('session', request.secure),
  value: minted.token,
  maxAgeSeconds: minted.expiresInSeconds,
  sameSite: 'Lax',
})

export const endedSessionCookie = (ctx: Deps): Cookie => sessionCookie(ctx, { token: '', expiresInSeconds: 0 })

/** The browser's session token. */
export const sessionToken = ({ request }: Deps): string | undefined => request.cookie(hostCookie('session', request.secure))
