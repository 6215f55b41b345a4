// The session of the hosted pages: a session token in a cookie that no script reads. The API never takes it: a cookie goes wherever the browser goes.

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

/** The session token that the browser holds. */
export const sessionToken = ({ request }: Deps): string | undefined => request.cookie(hostCookie('session', request.secure))
