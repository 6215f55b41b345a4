// Authenticates a backend's client: by HTTP Basic, or by an SDK client id in the body or in `X-Client-ID`.
import type { ClientEntry } from '#db/store/clients'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { basicCredentials, usesBasicAuth } from '#shared/platform/http/basic-auth'
import { parseClientId, parseSdkSecret } from './application.ts'
import { authenticateClientSecret, authenticateSdkClient } from './secrets.ts'

type Deps = Pick<RequestCtx, 'db' | 'clock' | 'request'>

/** The client ids in the request's header and body. */
const presentedClientIds = (ctx: Deps, named: string | undefined): readonly string[] =>
  [ctx.request.header('x-client-id'), named].filter((text): text is string => text !== undefined && text !== '')

/** The client, when it is authenticated and active and every presented id is its own. */
export const authenticatedClient = async (ctx: Deps, named: string | undefined): Promise<ClientEntry | undefined> => {
  const ids = presentedClientIds(ctx, named)
  const proof = ids.find((text) => parseSdkSecret(text) !== undefined)
  const basic = usesBasicAuth(ctx.request) ? basicCredentials(ctx.request) : undefined
  if (basic instanceof AppError) return undefined
  const client =
    basic !== undefined ? await authenticateClientSecret(ctx, basic) : proof === undefined ? undefined : await authenticateSdkClient(ctx, proof)
  return client !== undefined && ids.every((text) => parseClientId(text) === client.clientId) ? client : undefined
}

/** The one client that a request names, authenticated or not: for comparison only. Presented credentials must be valid. */
export const namedClientId = async (ctx: Deps, named: string | undefined): Promise<string | undefined> => {
  const ids = presentedClientIds(ctx, named)
  if (usesBasicAuth(ctx.request) || ids.some((text) => parseSdkSecret(text) !== undefined)) return (await authenticatedClient(ctx, named))?.clientId
  const [first, ...others] = new Set(ids.map(parseClientId))
  return others.length === 0 ? first : undefined
}
