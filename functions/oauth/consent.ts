// The person's answer on the consent page. It counts once, in the session that was asked, for the client that asked.
import { findConsentState, takeRequest } from '#db/store/oauth-authorizations'
import { atomically, forTenant } from '#db/tenant'
import { AppError } from '#shared/errors'
import type { User } from '#shared/http/principal'
import { readHandle } from '#shared/oauth/handles'
import { judge, pickParameters } from './authorization-request.ts'
import { away, grantable, type Page, toClient } from './authorize.ts'
import { findClientOfRow } from './client-authentication.ts'
import { knownTypes } from './detail-types.ts'
import type { Ctx } from './group.ts'
import { issueCode } from './issue-code.ts'
import { redirectUriFor } from './redirect.ts'

export type Decision = { readonly consent: string; readonly decision: 'allow' | 'deny' }

/** Everything is judged again: between question and answer the client may have changed. @throws AppError form_expired, invalid_request */
export const decideConsent = async (ctx: Ctx, principal: User, { consent, decision }: Decision): Promise<Page> => {
  const handle = readHandle(consent)
  if (handle === undefined || handle.tenantId !== principal.tenantId) throw new AppError('form_expired')
  const t = forTenant(ctx.db, principal.tenantId)
  const now = ctx.clock.now()
  const taken = await atomically(t, async (tx) => {
    const row = await takeRequest(tx, handle.hash, now, ['consent'])
    // Thrown inside, so that somebody else's try leaves it as it was.
    // One that a front end of the company's own asks about is answered there.
    if (row?.userId !== principal.userId || row.sessionId !== principal.sessionId || row.browserHash !== null) throw new AppError('form_expired')
    return row
  })
  const parameters = pickParameters(taken.parameters)
  const client = await findClientOfRow(ctx, principal.tenantId, taken.clientId, parameters.resource)
  if (client === undefined) throw new AppError('invalid_request', 'The client may not be used any more.')
  const redirectUri = redirectUriFor(ctx.config, client, parameters.redirect_uri)
  return toClient(ctx, redirectUri, parameters.state, async () => {
    if (decision === 'deny') throw new AppError('access_denied', 'The person said no.')
    const j = judge({ client, parameters, pushed: true }, redirectUri)
    const of = { userId: principal.userId, clientId: client.clientId, resourceServerId: j.resource?.id ?? null, now }
    const types = await knownTypes(ctx, j)
    return away(await issueCode(ctx, j, principal, grantable(j, await findConsentState(t, of)), types))
  })
}
