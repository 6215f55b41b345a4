// A login challenge: the name of an authorization request that waits for somebody to sign in, for front ends of somebody's own.
import { findRequest } from '#db/store/oauth-authorizations'
import { forTenant, type TenantId } from '#db/tenant'
import type { RequestCtx } from '../context.ts'
import { readHandle } from './handles.ts'
import { REQUEST_URI } from './offered.ts'

export type LoginChallenge = { readonly text: string; readonly tenantId: TenantId; readonly clientId: string }

/** The handle of the waiting request, alone or as its `request_uri`. Undefined for what is none, over, or answered. */
export const findLoginChallenge = async (ctx: Pick<RequestCtx, 'db' | 'clock'>, text: string): Promise<LoginChallenge | undefined> => {
  const handle = readHandle(text.startsWith(REQUEST_URI) ? text.slice(REQUEST_URI.length) : text)
  if (handle === undefined) return undefined
  const found = await findRequest(forTenant(ctx.db, handle.tenantId), handle.hash, ctx.clock.now(), ['waiting'])
  return found === undefined ? undefined : { text, tenantId: handle.tenantId, clientId: found.clientId }
}
