// A client whose id is the URL of its metadata (draft-ietf-oauth-client-id-metadata-document): the document is fetched, validated and cached. Its names are the
// client's own claim; only the host is verified.
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { type Client, insertClient } from '#db/store/clients'
import { findMetadataClient } from '#db/store/registered-clients'
import { findServerByIdentifier } from '#db/store/resource-servers'
import { changeClientIdentity, endConsentsOfClient } from '#shared/domains/clients/change-identity'
import { ClientMetadata } from '#shared/domains/oauth/client-metadata.schema'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { sha256 } from '#shared/platform/crypto/sha256'
import { FetchFailure } from '#shared/platform/fetch/guarded'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import { addressKey } from '#shared/platform/http/guard'
import { requireNoWider, type SubmittedMetadata, validateMetadata } from './client-metadata.ts'
import type { Ctx } from './group.ts'
import { acceptsSelfRegistered, allowsOpenRegistration } from './open-registration.ts'
import { limitOpenRegistration, requireRegistrationQuota, UNUSED_CLIENT_SECONDS } from './registration-limits.ts'
import { tenantOfResource } from './resource-tenant.ts'

/** The draft recommends 5 KiB; some documents list many redirect URIs. */
const MAX_BYTES = 10 * 1024
const CACHE_SECONDS = 3600
/** How long the stored metadata is used while the document cannot be fetched. */
const STALE_SECONDS = 24 * 3600
const FAILED_SECONDS = 60
const MAX_FETCHES = 30

const refused = (why: string): AppError => new AppError('invalid_request', `client_id: ${why}`)

/** An https URL with a path, in canonical spelling, without fragment, credentials and dot segments (section 3). */
export const isMetadataUrl = ({ config }: Pick<Ctx, 'config'>, text: string): boolean => {
  const url = checkOutboundUrl(text, { loopback: config.OUTBOUND_LOOPBACK === 'on' })
  return typeof url !== 'string' && url.pathname !== '/' && url.href === text && !/%2e/i.test(url.pathname)
}

/** @throws AppError invalid_request: on a page */
const parseDocument = (ctx: Pick<Ctx, 'config'>, url: string, text: string): ReturnType<typeof validateMetadata> => {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw refused('its metadata is no JSON.')
  }
  const submitted = ClientMetadata.safeParse(document).data
  const members = document as Readonly<Record<string, unknown>>
  if (submitted === undefined || members.client_id !== url) throw refused('its metadata does not describe this client.')
  // A public document contains no secret (section 4.1).
  const { token_endpoint_auth_method: method = 'none' } = submitted
  if ((method !== 'none' && method !== 'private_key_jwt') || Object.hasOwn(members, 'client_secret'))
    throw refused('its metadata asks for a shared secret.')
  const metadata: SubmittedMetadata = { ...submitted, token_endpoint_auth_method: method }
  try {
    return validateMetadata(ctx, metadata, false)
  } catch (error) {
    throw error instanceof AppError ? refused(error.message) : error
  }
}

/** @throws AppError invalid_request, rate_limited */
const fetchDocument = async (ctx: Ctx, url: string): Promise<ReturnType<typeof validateMetadata>> => {
  const key = `client-metadata:${addressKey(ctx, ctx.request.address)}`
  await ctx.limits.check([{ key, windowSeconds: 60, max: MAX_FETCHES, guardsCredential: false }])
  const failed = `client-metadata-failed:${Buffer.from(sha256(url)).toString('base64url')}`
  if ((await ctx.cache.get(failed)) !== undefined) throw refused('its metadata could not be read a moment ago.')
  try {
    const { status, body, header } = await ctx.outbound.send({ url, method: 'GET', headers: { accept: 'application/json' } })
    const isJson = /^application\/(?:[\w.-]+\+)?json(?:;|$)/.test(header('content-type') ?? '')
    if (status !== 200 || !isJson || body.byteLength > MAX_BYTES) throw refused('there is no metadata at this address.')
    return parseDocument(ctx, url, new TextDecoder().decode(body))
  } catch (error) {
    if (!(error instanceof FetchFailure || (error instanceof AppError && error.code === 'invalid_request'))) throw error
    await ctx.cache.putIfAbsent(failed, '1', FAILED_SECONDS)
    throw error instanceof AppError ? error : refused('its metadata could not be read.')
  }
}

const isSame = (before: Client, after: ReturnType<typeof validateMetadata>): boolean =>
  JSON.stringify([before.redirectUris, before.name, before.isPublic, before.jwksUri, before.grantTypes]) ===
  JSON.stringify([after.redirectUris, after.name, after.isPublic, after.jwksUri, after.grantTypes])

const refresh = async (ctx: Ctx, t: TenantDb, known: Client, url: string): Promise<void> => {
  const at = ctx.clock.now()
  const age = (at.getTime() - (known.metadataFetchedAt?.getTime() ?? 0)) / 1000
  if (age < CACHE_SECONDS) return
  const document = await fetchDocument(ctx, url).catch((error: unknown) => {
    if (error instanceof AppError && age < STALE_SECONDS) return undefined
    throw error
  })
  if (document === undefined) return
  await atomically(t, async (tx) => {
    const by = { actor: byClient(known.id), name: known.name }
    const changed = await changeClientIdentity(tx, ctx, by, known, { ...requireNoWider(known, document), metadataFetchedAt: at, updatedAt: at })
    if (changed === undefined || isSame(known, document)) return
    // The consents were also given to the old name.
    await endConsentsOfClient(tx, ctx, by, changed, ['client_name', 'grant_types'])
    const [target, before] = [
      { type: 'client', id: known.id },
      { name: known.name, redirect_uris: known.redirectUris },
    ]
    const after = { name: document.name, redirect_uris: document.redirectUris }
    await recordEvent(tx, ctx, { event: 'client.registration_changed', actor: by.actor, target, before, after })
  })
  ctx.wakeOutbox()
}

/** @throws AppError invalid_request, quota_exceeded */
const registerFromDocument = async (ctx: Ctx, t: TenantDb, url: string): Promise<void> => {
  const document = await fetchDocument(ctx, url)
  await limitOpenRegistration(ctx)
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  try {
    await atomically(t, async (tx) => {
      await requireRegistrationQuota(tx, at)
      const times = { unusedUntil: secondsAfter(at, UNUSED_CLIENT_SECONDS), validFrom: at, createdAt: at, updatedAt: at, metadataFetchedAt: at }
      await insertClient(tx, { ...document, ...times, id, registeredBy: 'metadata', metadataUrl: url })
      const after = { metadata_url: url, name: document.name, redirect_uris: document.redirectUris }
      await recordEvent(tx, ctx, { event: 'client.registered', actor: byAnonymous, target: { type: 'client', id }, after })
    })
  } catch (error) {
    // Another request inserted it at the same time.
    if (!isUniqueViolation(error)) throw error
  }
}

/**
 * Registers such a client, or updates it, in the company of the requested resource. Nothing is fetched where the company or the resource server does not
 * accept such clients. Returns the company; `several` where only the person's company could decide which one. Routes that call this emit `client.registered`,
 * `client.registration_changed`, `client.consents_ended`.
 * @throws AppError invalid_request, quota_exceeded, rate_limited: on a page
 */
export const registerMetadataClient = async (
  ctx: Ctx,
  url: string,
  resource: string | undefined,
  person?: TenantId,
): Promise<TenantId | 'several'> => {
  if (!isMetadataUrl(ctx, url)) throw refused('is no address of client metadata.')
  const tenantId = resource === undefined ? undefined : await tenantOfResource(ctx, resource, person)
  if (resource === undefined) throw refused('an address names a client only together with a resource (RFC 8707), which is missing.')
  if (tenantId === undefined)
    throw refused('an address names a client only together with a resource (RFC 8707), and this one is not registered here.')
  if (tenantId === 'several') return tenantId
  const t = forTenant(ctx.db, tenantId)
  const known = await findMetadataClient(t, url)
  if (known !== undefined) {
    await refresh(ctx, t, known, url)
    return tenantId
  }
  const server = await findServerByIdentifier(t, resource)
  if (!acceptsSelfRegistered(server, 'cimd') || !(await allowsOpenRegistration(ctx, tenantId))) {
    throw refused('the resource accepts only clients that an administrator registered.')
  }
  await registerFromDocument(ctx, t, url)
  return tenantId
}
