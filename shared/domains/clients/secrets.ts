// Secrets of clients: 256 random bits, shown once, kept as SHA-256 (a digest is enough for what nobody can guess). A client has two: the one that it shows
// as a password, and the second half of its SDK client id, for SDKs that send a client id and nothing else.
import { createHash } from 'node:crypto'
import { directory, forTenant } from '#db/engine/tenant'
import { type Client, type ClientCredentials, type ClientEntry, findClient, findClientCredentials } from '#db/store/clients'
import type { BaseCtx } from '#shared/domains/context'
import { opaque, type Random } from '#shared/kernel/random'
import { equal } from '#shared/platform/crypto/equal'
import type { Credentials } from '#shared/platform/http/basic'
import { plainClientId, sdkSecretOf } from './application.ts'

/** What is stored of a secret. */
export const secretDigest = (secret: string): Uint8Array => new Uint8Array(createHash('sha256').update(secret).digest())

export type NewSecret = { readonly secret: string; readonly hash: Uint8Array }

export const newClientSecret = (random: Random): NewSecret => {
  const secret = opaque(random)
  return { secret, hash: secretDigest(secret) }
}

/** `secret` is the second half; `sdkClientId` puts the whole together. */
export const newSdkSecret = (random: Random): NewSecret => {
  const secret = Buffer.from(random.bytes(32)).toString('hex')
  return { secret, hash: secretDigest(secret) }
}
export const sdkClientId = (clientId: string, secret: string): string => `${clientId}~${secret}`

const isOneOf = (secret: string, hashes: readonly (Uint8Array | null)[]): boolean => {
  const shown = secretDigest(secret)
  return hashes.some((hash) => hash !== null && equal(shown, new Uint8Array(hash)))
}

type Deps = Pick<BaseCtx, 'db' | 'clock'>

const credentialsOf = async (ctx: Deps, text: string): Promise<ClientCredentials | undefined> => {
  const id = plainClientId(text)
  const found = id === undefined ? undefined : await findClientCredentials(directory(ctx.db), id)
  return found?.active === true ? found : undefined
}

const entryOf = ({ clientId, tenantId, active }: ClientCredentials): ClientEntry => ({ clientId, tenantId, active })
const inOverlap = (ctx: Deps, { previousValidUntil }: ClientCredentials): boolean =>
  previousValidUntil !== null && previousValidUntil > ctx.clock.now()

type Method = Client['tokenEndpointAuthMethod']
const IN_HEADER: readonly Method[] = [null, 'client_secret_basic']
const IN_BODY: readonly Method[] = [...IN_HEADER, 'client_secret_post']

/** The client, if it is registered to prove itself so (RFC 7591 section 2), whatever secret may lie about from before. */
const registeredFor = async (ctx: Deps, found: ClientCredentials, methods: readonly Method[]): Promise<ClientEntry | undefined> => {
  const client = await findClient(forTenant(ctx.db, found.tenantId), found.clientId)
  return client !== undefined && !client.isPublic && methods.includes(client.tokenEndpointAuthMethod) ? entryOf(found) : undefined
}

/** An active client that shows its secret by HTTP Basic, or in a body, with or without a service account to act as. */
export const authenticateClientSecret = async (
  ctx: Deps,
  { clientId, secret }: Credentials,
  shown: 'in header' | 'in body' = 'in header',
): Promise<ClientEntry | undefined> => {
  const found = await credentialsOf(ctx, clientId)
  if (found === undefined) return undefined
  const hashes = [found.secretHash, ...(inOverlap(ctx, found) ? [found.previousSecretHash] : [])]
  return isOneOf(secret, hashes) ? registeredFor(ctx, found, shown === 'in body' ? IN_BODY : IN_HEADER) : undefined
}

/**
 * An active client that shows its SDK client id, wherever a client id stands in a body or in `X-Client-ID`: SDKs can do nothing else, so it counts as a secret in a
 * body does, also for who is registered for HTTP Basic. A plain client id authenticates nobody.
 */
export const authenticateSdkClient = async (ctx: Deps, text: string): Promise<ClientEntry | undefined> => {
  const secret = sdkSecretOf(text)
  const found = secret === undefined ? undefined : await credentialsOf(ctx, text)
  if (secret === undefined || found === undefined) return undefined
  const hashes = [found.sdkSecretHash, ...(inOverlap(ctx, found) ? [found.previousSdkSecretHash] : [])]
  return isOneOf(secret, hashes) ? registeredFor(ctx, found, IN_BODY) : undefined
}
