// Client secrets: 256 random bits, returned once and stored as SHA-256, which is enough for random secrets. A client has two: its client secret, and the second
// half of its SDK client id for SDKs that send only a client id.
import { createHash } from 'node:crypto'
import { directory, forTenant } from '#db/engine/tenant'
import { type Client, type ClientCredentials, type ClientEntry, findClient, findClientCredentials } from '#db/store/clients'
import type { BaseCtx } from '#shared/domains/context'
import { type Random, randomToken } from '#shared/kernel/random'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { BasicCredentials } from '#shared/platform/http/basic-auth'
import { parseClientId, parseSdkSecret } from './application.ts'

/** The stored form of a secret. */
export const secretDigest = (secret: string): Uint8Array => new Uint8Array(createHash('sha256').update(secret).digest())

export type NewSecret = { readonly secret: string; readonly hash: Uint8Array }

export const newClientSecret = (random: Random): NewSecret => {
  const secret = randomToken(random)
  return { secret, hash: secretDigest(secret) }
}

/** `secret` is the second half; `sdkClientId` joins both. */
export const newSdkSecret = (random: Random): NewSecret => {
  const secret = Buffer.from(random.bytes(32)).toString('hex')
  return { secret, hash: secretDigest(secret) }
}
export const sdkClientId = (clientId: string, secret: string): string => `${clientId}~${secret}`

const isOneOf = (secret: string, hashes: readonly (Uint8Array | null)[]): boolean => {
  const digest = secretDigest(secret)
  return hashes.some((hash) => hash !== null && constantTimeEqual(digest, new Uint8Array(hash)))
}

type Deps = Pick<BaseCtx, 'db' | 'clock'>

const credentialsOf = async (ctx: Deps, text: string): Promise<ClientCredentials | undefined> => {
  const id = parseClientId(text)
  const found = id === undefined ? undefined : await findClientCredentials(directory(ctx.db), id)
  return found?.active === true ? found : undefined
}

const entryOf = ({ clientId, tenantId, active }: ClientCredentials): ClientEntry => ({ clientId, tenantId, active })
const inOverlap = (ctx: Deps, { previousValidUntil }: ClientCredentials): boolean =>
  previousValidUntil !== null && previousValidUntil > ctx.clock.now()

type Method = Client['tokenEndpointAuthMethod']
const IN_HEADER: readonly Method[] = [null, 'client_secret_basic']
const IN_BODY: readonly Method[] = [...IN_HEADER, 'client_secret_post']

/** The client, when it is registered for one of the methods (RFC 7591 section 2). A leftover secret of another method does not count. */
const clientWithMethod = async (ctx: Deps, found: ClientCredentials, methods: readonly Method[]): Promise<ClientEntry | undefined> => {
  const client = await findClient(forTenant(ctx.db, found.tenantId), found.clientId)
  return client !== undefined && !client.isPublic && methods.includes(client.tokenEndpointAuthMethod) ? entryOf(found) : undefined
}

/** An active client that presents its secret by HTTP Basic or in a body, with or without a service account. */
export const authenticateClientSecret = async (
  ctx: Deps,
  { clientId, secret }: BasicCredentials,
  presented: 'in header' | 'in body' = 'in header',
): Promise<ClientEntry | undefined> => {
  const found = await credentialsOf(ctx, clientId)
  if (found === undefined) return undefined
  const hashes = [found.secretHash, ...(inOverlap(ctx, found) ? [found.previousSecretHash] : [])]
  return isOneOf(secret, hashes) ? clientWithMethod(ctx, found, presented === 'in body' ? IN_BODY : IN_HEADER) : undefined
}

/**
 * An active client that presents its SDK client id in a body or in `X-Client-ID`. SDKs have no other method, so it counts as a secret in a body even for clients
 * registered for HTTP Basic. A plain client id does not authenticate.
 */
export const authenticateSdkClient = async (ctx: Deps, text: string): Promise<ClientEntry | undefined> => {
  const secret = parseSdkSecret(text)
  const found = secret === undefined ? undefined : await credentialsOf(ctx, text)
  if (secret === undefined || found === undefined) return undefined
  const hashes = [found.sdkSecretHash, ...(inOverlap(ctx, found) ? [found.previousSdkSecretHash] : [])]
  return isOneOf(secret, hashes) ? clientWithMethod(ctx, found, IN_BODY) : undefined
}
