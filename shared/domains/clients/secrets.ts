// A client has two secrets, both disclosed once: the one that it presents as a password, and the second half of its SDK client id, for SDKs that send a client id
// and nothing else.
import { directory, forTenant } from '#db/engine/tenant'
import { type Client, type ClientCredentials, type ClientEntry, findAuthorizedClient, findClientCredentials } from '#db/store/clients'
import type { BaseCtx } from '#shared/domains/context'
import { type Random, randomToken } from '#shared/kernel/random'
import { sha256 } from '#shared/platform/crypto/sha256'
import type { BasicCredentials } from '#shared/platform/http/basic-auth'
import { parseClientId, parseSdkSecret } from './application.ts'
import { isClientSecret } from './client-secret.ts'

export type NewSecret = { readonly secret: string; readonly hash: Uint8Array }

export const newClientSecret = (random: Random): NewSecret => {
  const secret = randomToken(random)
  return { secret, hash: sha256(secret) }
}

/** `secret` is the second half; `sdkClientId` joins both. */
export const newSdkSecret = (random: Random): NewSecret => {
  const secret = Buffer.from(random.bytes(32)).toString('hex')
  return { secret, hash: sha256(secret) }
}
export const sdkClientId = (clientId: string, secret: string): string => `${clientId}~${secret}`

type Deps = Pick<BaseCtx, 'db' | 'clock'>

const credentialsOf = async (ctx: Deps, text: string): Promise<ClientCredentials | undefined> => {
  const id = parseClientId(text)
  const found = id === undefined ? undefined : await findClientCredentials(directory(ctx.db), id)
  return found?.active === true ? found : undefined
}

const entryOf = ({ clientId, tenantId, active }: ClientCredentials): ClientEntry => ({ clientId, tenantId, active })

type Method = Client['tokenEndpointAuthMethod']
const IN_HEADER: readonly Method[] = [null, 'client_secret_basic']
const IN_BODY: readonly Method[] = [...IN_HEADER, 'client_secret_post']

/**
 * The client, if it is registered for one of these methods (RFC 7591 section 2); it may still have a secret from an earlier registration. These routes lead to
 * sessions of people, so a client that registered itself, and an agent that may not act, do not count.
 */
const registeredFor = async (ctx: Deps, found: ClientCredentials, methods: readonly Method[]): Promise<ClientEntry | undefined> => {
  const client = await findAuthorizedClient(forTenant(ctx.db, found.tenantId), found.clientId, ctx.clock.now())
  return client !== undefined && !client.isPublic && methods.includes(client.tokenEndpointAuthMethod) ? entryOf(found) : undefined
}

/** The active client that presents its secret by HTTP Basic or in a body, whether or not it has a service account. */
export const authenticateClientSecret = async (
  ctx: Deps,
  { clientId, secret }: BasicCredentials,
  presented: 'in header' | 'in body' = 'in header',
): Promise<ClientEntry | undefined> => {
  const found = await credentialsOf(ctx, clientId)
  if (found === undefined) return undefined
  return isClientSecret(secret, found, ctx.clock.now()) ? registeredFor(ctx, found, presented === 'in body' ? IN_BODY : IN_HEADER) : undefined
}

/**
 * The active client that presents its SDK client id, in a body or in `X-Client-ID`. SDKs can do nothing else, so it counts as a secret in a body, also for a client
 * that is registered for HTTP Basic. A plain client id authenticates no client.
 */
export const authenticateSdkClient = async (ctx: Deps, text: string): Promise<ClientEntry | undefined> => {
  const secret = parseSdkSecret(text)
  const found = secret === undefined ? undefined : await credentialsOf(ctx, text)
  if (secret === undefined || found === undefined) return undefined
  const stored = { ...found, secretHash: found.sdkSecretHash, previousSecretHash: found.previousSdkSecretHash }
  return isClientSecret(secret, stored, ctx.clock.now()) ? registeredFor(ctx, found, IN_BODY) : undefined
}
