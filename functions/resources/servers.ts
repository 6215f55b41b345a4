// Resource servers of a tenant: the APIs that accept our access tokens, their scopes and their clients.

import type * as z from 'zod'
import { isForeignKeyViolation, isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { findTenantOfHost } from '#db/store/domains'
import { listDetailTypesAt } from '#db/store/oauth-details'
import { decideAccessRequest, putAccessRequest } from '#db/store/registered-clients'
import {
  deleteResourceServer,
  findResourceServer,
  findServerSummaries,
  insertResourceServer,
  listResourceClients,
  listResourceServers,
  listServerScopes,
  lockIdentifiers,
  lockLookAlikes,
  type NewServerScope,
  putServerScopes,
  type RegisteredClient,
  type ResourceServer,
  registerClient,
  removeClientFrom,
  type ServerSummary,
  takeIdentifierAgain,
  updateResourceServer,
} from '#db/store/resource-servers'
import { createClient } from '#shared/domains/administration/clients'
import { actAsGrantor, type GrantorPermissions, requireGrantable } from '#shared/domains/authority/access-change'
import { requireRedirects } from '#shared/domains/clients/redirect-uri'
import { releaseIdentifiersTo } from '#shared/domains/domain-names/resource-identifiers'
import { CLIENT_SIGNING_ALGS, ENDPOINTS } from '#shared/domains/oauth/supported'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { sha256 } from '#shared/platform/crypto/sha256'
import { isLocalHost } from '#shared/platform/fetch/outbound-url'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { identifierKeys, plainHost } from './identifier.ts'
import { SCOPE_PRESETS } from './presets.ts'
import type {
  ClientRegistration,
  CreatedServer,
  Manifest,
  NewSecret,
  NewServer,
  RemovedResourceClient,
  ResourceClient,
  ResourceClients,
  ServerChange,
  ServerList,
  ServerOut,
} from './servers.schema.ts'
import { setupState } from './tool-state.ts'

const MOST_LISTED = 500
/** Default for a server of the type `ai_agent`. */
const DEFAULT_AGENT = 'mcp-agent'
/** Ten years: effectively until an administrator approves the client. */
const REFUSED_SECONDS = 10 * 365 * 24 * 3600

type Out = z.input<typeof ServerOut>

const NO_SUMMARY: ServerSummary = { clients: 0, roleName: null, setup: null, tools: 0 }

const toSummary = ({ clients, roleName, setup, tools }: ServerSummary) => ({
  client_count: clients,
  ...(roleName === null ? {} : { access_policy_role_name: roleName }),
  state: setupState(setup ?? undefined, tools > 0),
  scan_generation: setup?.generation ?? 0,
  last_successful_generation: setup?.generation ?? 0,
  ...(setup?.scanStatus == null ? {} : { last_scan_status: setup.scanStatus }),
  ...(setup?.scannedAt == null ? {} : { last_scan_completed_at: setup.scannedAt.toISOString() }),
  ...(setup?.validatedAt == null ? {} : { last_validated_at: setup.validatedAt.toISOString() }),
  ...(setup?.validationStatus == null ? {} : { last_validation_status: setup.validationStatus }),
})

const toResponse = (ctx: Pick<Ctx, 'config'>, row: ResourceServer, scopes: readonly NewServerScope[], summary = NO_SUMMARY): Out => {
  const issuer = ctx.config.BASE_URL
  return {
    id: row.id,
    tenant_id: row.tenantId,
    resource_uri: row.resource,
    ...toSummary(summary),
    name: row.name,
    public_base_url: row.publicBaseUrl,
    protected_base_path: row.protectedBasePath,
    application_type: row.applicationType,
    ...(row.agentType === null ? {} : { agent_type: row.agentType }),
    resource_url: row.resource,
    issuer_url: issuer,
    jwks_uri: `${issuer}${ENDPOINTS.jwks}`,
    introspection_endpoint: `${issuer}${ENDPOINTS.introspection}`,
    manifest_url: `${issuer}/authsec/resource-servers/${row.id}/manifest`,
    validation_mode: 'auto',
    scopes_supported: scopes.map(({ name }) => name),
    scopes: [...scopes],
    open_to_clients: row.openToClients,
    registration_modes: row.registrationModes,
    access_policy_enabled: row.accessPolicyEnabled,
    token_seconds: row.tokenSeconds,
    active: row.active,
    status: row.active ? 'ready' : 'inactive',
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

const show = async (ctx: Pick<Ctx, 'config'>, t: TenantDb, row: ResourceServer): Promise<Out> =>
  toResponse(ctx, row, await listServerScopes(t, row.id), (await findServerSummaries(t, [row.id])).get(row.id))

type Place = { readonly base: string; readonly path: string; readonly resource: string; readonly isLocal: boolean; readonly host: string }

const refusedUrl = (): AppError => {
  const field = 'body.public_base_url'
  return new AppError('invalid_request', `${field}: must be https (or http on the loopback interface), without query, fragment and credentials`, {
    field,
  })
}

/** Normalizes the identifier. It is compared as text, so only one spelling is accepted. @throws AppError invalid_request */
export const parseServerUrl = (baseUrl: string, basePath: string): Place => {
  const base = baseUrl.replace(/\/+$/, '')
  const url = URL.canParse(base) ? new URL(base) : undefined
  const isLocal = url !== undefined && isLocalHost(url)
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))) throw refusedUrl()
  const path = basePath === '/' ? '' : basePath.replace(/\/+$/, '')
  const resource = `${base}${path}`
  const read = URL.canParse(resource) ? new URL(resource) : undefined
  const isPlain = read?.search === '' && read.hash === '' && read.username === '' && (read.href === resource || read.href === `${resource}/`)
  if (!isPlain || (path !== '' && !path.startsWith('/'))) throw refusedUrl()
  return { base, path: path === '' ? '/' : path, resource, isLocal, host: plainHost(url.hostname) }
}

/** The directory's entry of an identifier. Loopback addresses belong to every tenant. */
type Entry = { readonly identifierHash: Uint8Array; readonly resourceHash: Uint8Array; readonly keyHash: Uint8Array | null; readonly host: string }

/**
 * Refuses a server below a verified domain of another company, below our own base URL, which is the audience of tokens for this server, and one that looks like
 * the identifier of another company or is below it. Below the company's own verified domain such identifiers of others are released instead.
 * @throws AppError resource_taken
 */
const requireIdentifier = async (t: TenantTx, ctx: Ctx, { base, resource, host, isLocal }: Place): Promise<Entry> => {
  const taken = (): AppError => new AppError('resource_taken', undefined, { field: 'body.public_base_url' })
  if (identifierKeys(base)[0] === identifierKeys(ctx.config.BASE_URL)[0]) throw taken()
  const identifierHash = sha256(resource)
  if (isLocal) return { identifierHash, resourceHash: sha256(`${t.tenantId} ${resource}`), keyHash: null, host }
  await lockIdentifiers(t, 'to take one')
  const owner = await findTenantOfHost(t, host)
  if (owner !== undefined && owner !== t.tenantId) throw new AppError('resource_taken')
  const spellings = identifierKeys(resource).map(sha256)
  const others = await lockLookAlikes(t, spellings, identifierHash)
  if (others.length > 0 && owner === undefined) throw taken()
  if (others.length > 0) await releaseIdentifiersTo(t, ctx, host, others)
  return { identifierHash, resourceHash: identifierHash, keyHash: spellings.at(-1) ?? null, host }
}

/** @throws AppError resource_taken */
const orTaken = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('resource_taken', undefined, { field: 'body.public_base_url' }, error)
    throw error
  }
}

const secretFor = (ctx: Pick<Ctx, 'random'>, caller: User): string => `${caller.tenantId}.${randomToken(ctx.random)}`

const presetOf = (id: string | undefined): z.output<typeof NewServer>['scopes_supported'] =>
  (SCOPE_PRESETS.find((preset) => preset.id === id)?.scopes ?? []).map((scope) => ({ ...scope, permission: undefined }))

const scopesOf = (request: z.output<typeof NewServer>['scopes_supported']): NewServerScope[] => {
  const byName = new Map(request.map(({ name, description, permission = null }) => [name, { name, description, permission }]))
  return [...byName.values()]
}

/** @throws AppError invalid_request, resource_taken */
export const createServer = async (ctx: Ctx, caller: User, request: z.output<typeof NewServer>): Promise<z.input<typeof CreatedServer>> => {
  const place = parseServerUrl(request.public_base_url, request.protected_base_path)
  const [id, at, secret] = [ctx.random.id(), ctx.clock.now(), secretFor(ctx, caller)]
  const made = await orTaken(() =>
    atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      const entry = await requireIdentifier(t, ctx, place)
      await insertResourceServer(t, {
        id,
        name: request.name,
        publicBaseUrl: place.base,
        protectedBasePath: place.path,
        resource: place.resource,
        applicationType: request.application_type,
        agentType: request.agent_type ?? (request.application_type === 'ai_agent' ? DEFAULT_AGENT : null),
        openToClients: request.open_to_clients,
        registrationModes: [...new Set(request.registration_modes)],
        tokenSeconds: request.token_seconds,
        introspectionHash: sha256(secret),
        ...entry,
        createdAt: at,
        updatedAt: at,
      })
      const scopes = scopesOf(request.scopes_supported.length > 0 ? request.scopes_supported : presetOf(request.scope_preset_id))
      await putServerScopes(t, id, scopes)
      const after = { resource: place.resource, scopes: scopes.map(({ name }) => name) }
      await recordEvent(t, ctx, { event: 'resource_server.created', actor: byUser(caller), target: { type: 'resource_server', id }, after })
      return { ...(await show(ctx, t, await known(t, id))), introspection_secret: secret }
    }),
  )
  ctx.wakeOutbox()
  return made
}

/** @throws AppError not_found */
const known = async (t: TenantDb, id: string): Promise<ResourceServer> => {
  const row = await findResourceServer(t, id)
  if (row === undefined) throw new AppError('not_found')
  return row
}

export const listServers = async (ctx: Ctx, caller: User): Promise<z.input<typeof ServerList>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const rows = await listResourceServers(t, MOST_LISTED)
  const summaries = await findServerSummaries(
    t,
    rows.map(({ id }) => id),
  )
  const out: Out[] = []
  for (const row of rows) out.push(toResponse(ctx, row, await listServerScopes(t, row.id), summaries.get(row.id)))
  return out
}

/** @throws AppError not_found */
export const readServer = async (ctx: Ctx, caller: User, id: string): Promise<Out> => {
  const t = forTenant(ctx.db, caller.tenantId)
  return show(ctx, t, await known(t, id))
}

/** Metadata for the server's author to publish under /.well-known/oauth-protected-resource of its host. @throws AppError not_found */
export const readManifest = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof Manifest>> => {
  const { resource_url, name, scopes_supported, application_type, agent_type } = await readServer(ctx, caller, id)
  const types = await listDetailTypesAt(forTenant(ctx.db, caller.tenantId), id, MOST_LISTED)
  return {
    resource: resource_url,
    authorization_servers: [ctx.config.BASE_URL],
    scopes_supported,
    bearer_methods_supported: ['header'],
    resource_name: name,
    dpop_signing_alg_values_supported: [...CLIENT_SIGNING_ALGS],
    ...(types.length === 0 ? {} : { authorization_details_types_supported: types.map(({ type }) => type) }),
    application_type,
    ...(agent_type === undefined ? {} : { agent_type }),
  }
}

const changed = <T>(
  ctx: Ctx,
  caller: User,
  id: string,
  work: (t: TenantTx, row: ResourceServer, grantable: GrantorPermissions) => Promise<T>,
): Promise<T> => actAsGrantor(ctx, caller, async (t, grantable) => work(t, await known(t, id), grantable))

/**
 * A scope with a permission is only for people who have it. Removing that requirement, also by deleting the scope, needs the permission.
 * @throws AppError cannot_grant
 */
export const requireStillBound = (grantable: GrantorPermissions, before: readonly NewServerScope[], after: readonly NewServerScope[]): void => {
  const bound = new Map(after.map(({ name, permission }) => [name, permission]))
  requireGrantable(
    grantable,
    before.flatMap(({ name, permission }) => (permission === null || bound.get(name) === permission ? [] : [permission])),
  )
}

/** A server gets its released identifier back only where a new server could be created with it. @throws AppError resource_taken */
const requireStillOurs = async (t: TenantTx, ctx: Ctx, { id, publicBaseUrl, protectedBasePath }: ResourceServer): Promise<void> => {
  const place = parseServerUrl(publicBaseUrl, protectedBasePath)
  const entry = await requireIdentifier(t, ctx, place)
  await takeIdentifierAgain(t, { ...entry, resourceServerId: id, createdAt: ctx.clock.now() })
}

/** @throws AppError not_found, cannot_grant, resource_taken */
export const changeServer = async (ctx: Ctx, caller: User, id: string, request: z.output<typeof ServerChange>): Promise<Out> => {
  const out = await orTaken(() => change(ctx, caller, id, request))
  ctx.wakeOutbox()
  return out
}
const change = (ctx: Ctx, caller: User, id: string, request: z.output<typeof ServerChange>): Promise<Out> =>
  changed(ctx, caller, id, async (t, before, grantable) => {
    if (request.active === true && !before.active) await requireStillOurs(t, ctx, before)
    const row = await updateResourceServer(t, id, {
      ...(request.name === undefined ? {} : { name: request.name }),
      ...(request.active === undefined ? {} : { active: request.active }),
      ...(request.open_to_clients === undefined ? {} : { openToClients: request.open_to_clients }),
      ...(request.registration_modes === undefined ? {} : { registrationModes: [...new Set(request.registration_modes)] }),
      ...(request.token_seconds === undefined ? {} : { tokenSeconds: request.token_seconds }),
      updatedAt: ctx.clock.now(),
    })
    if (row === undefined) throw new AppError('not_found')
    const old = await listServerScopes(t, id)
    if (request.scopes_supported !== undefined) {
      const scopes = scopesOf(request.scopes_supported)
      requireStillBound(grantable, old, scopes)
      await putServerScopes(t, id, scopes)
    }
    const [now, summary] = [await listServerScopes(t, id), (await findServerSummaries(t, [id])).get(id)]
    const out = toResponse(ctx, row, now, summary)
    await recordEvent(t, ctx, {
      event: 'resource_server.updated',
      actor: byUser(caller),
      target: { type: 'resource_server', id },
      before: { ...toResponse(ctx, before, old, summary) },
      after: { ...out },
    })
    return out
  })

/** @throws AppError not_found, cannot_grant */
export const deleteServer = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  changed(ctx, caller, id, async (t, row, grantable) => {
    requireStillBound(grantable, await listServerScopes(t, id), [])
    await deleteResourceServer(t, id)
    const target = { type: 'resource_server', id }
    await recordEvent(t, ctx, { event: 'resource_server.deleted', actor: byUser(caller), target, before: { resource: row.resource } })
    return undefined
  })

/** Revokes the previous secret. @throws AppError not_found */
export const rotateSecret = (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof NewSecret>> =>
  changed(ctx, caller, id, async (t) => {
    const secret = secretFor(ctx, caller)
    await updateResourceServer(t, id, { introspectionHash: sha256(secret), updatedAt: ctx.clock.now() })
    await recordEvent(t, ctx, { event: 'resource_server.secret_rotated', actor: byUser(caller), target: { type: 'resource_server', id } })
    return { introspection_secret: secret }
  })

/** @throws AppError not_found */
export const listClientsOf = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ResourceClients>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  await known(t, id)
  return (await listResourceClients(t, id, MOST_LISTED)).map(toRegistration)
}

const REGISTRATION_TYPES: Readonly<Record<string, 'prereg' | 'dcr' | 'cimd'>> = { administrator: 'prereg', dynamic: 'dcr', metadata: 'cimd' }
const toRegistration = ({ clientId, name, registeredBy, createdAt }: RegisteredClient) => ({
  client_id: clientId,
  client_name: name,
  registration_type: REGISTRATION_TYPES[registeredBy] ?? 'prereg',
  status: 'approved' as const,
  created_at: createdAt.toISOString(),
})

type Registration = z.output<typeof ClientRegistration>

/** Registers a client of the tenant, or a new one. @throws AppError not_found, invalid_request, quota_exceeded */
export const registerAt = (ctx: Ctx, caller: User, id: string, request: Registration): Promise<z.input<typeof ResourceClient>> =>
  request.client_id === undefined ? createClientAt(ctx, caller, id, request) : addClientTo(ctx, caller, id, request.client_id)

/** @throws AppError not_found, invalid_request, quota_exceeded */
const createClientAt = async (ctx: Ctx, caller: User, id: string, request: Registration): Promise<z.input<typeof ResourceClient>> => {
  await known(forTenant(ctx.db, caller.tenantId), id)
  const { client_name: name = '', redirect_uris: redirectUris = [], grant_types: grantTypes } = request
  requireRedirects('redirect_uris', redirectUris)
  const at = ctx.clock.now()
  const newClient = { name, email: caller.email, client_type: 'application' as const, token_endpoint_auth_method: request.token_endpoint_auth_method }
  const created = await createClient(ctx, caller, caller.tenantId, newClient, {
    redirectUris: [...new Set(redirectUris)],
    ...(grantTypes === undefined ? {} : { grantTypes: [...new Set(grantTypes)] }),
    also: async (t, client) => {
      await registerClient(t, id, client.id, at)
      const target = { type: 'resource_server', id }
      await recordEvent(t, ctx, { event: 'resource_server.client_registered', actor: byUser(caller), target, after: { client_id: client.id } })
    },
  })
  return {
    ...toRegistration({ clientId: created.client_id, name, registeredBy: 'administrator', createdAt: at }),
    ...(created.secret_id === undefined ? {} : { client_secret: created.secret_id }),
  }
}

/** @throws AppError not_found */
const addClientTo = async (ctx: Ctx, caller: User, id: string, clientId: string): Promise<z.input<typeof ResourceClient>> => {
  const at = ctx.clock.now()
  try {
    return await changed(ctx, caller, id, async (t) => {
      await decideAccessRequest(t, { resourceServerId: id, clientId }, 'approved', at)
      if (await registerClient(t, id, clientId, at)) {
        const target = { type: 'resource_server', id }
        await recordEvent(t, ctx, { event: 'resource_server.client_registered', actor: byUser(caller), target, after: { client_id: clientId } })
      }
      const client = await findClient(t, clientId)
      return toRegistration({ clientId, name: client?.name ?? '', registeredBy: client?.registeredBy ?? 'administrator', createdAt: at })
    })
  } catch (error) {
    if (isForeignKeyViolation(error)) throw new AppError('not_found', undefined, { field: 'body.client_id' }, error)
    throw error
  }
}

/** A client that registered itself could register again, so a rejection is stored for it. */
const refuseSelfRegistered = async (t: TenantTx, ctx: Ctx, id: string, clientId: string): Promise<boolean> => {
  const client = await findClient(t, clientId)
  if (client === undefined || client.registeredBy === 'administrator') return false
  const at = ctx.clock.now()
  const which = { resourceServerId: id, clientId }
  await putAccessRequest(t, { ...which, id: ctx.random.id(), at, expiresAt: secondsAfter(at, REFUSED_SECONDS) })
  return decideAccessRequest(t, which, 'denied', at)
}

/** Revokes the client's tokens and grants for this server. @throws AppError not_found */
export const removeResourceClient = (ctx: Ctx, caller: User, id: string, clientId: string): Promise<z.input<typeof RemovedResourceClient>> =>
  changed(ctx, caller, id, async (t) => {
    const wasIn = await removeClientFrom(t, id, clientId)
    if (!(await refuseSelfRegistered(t, ctx, id, clientId)) && !wasIn) throw new AppError('not_found')
    const target = { type: 'resource_server', id }
    await recordEvent(t, ctx, { event: 'resource_server.client_removed', actor: byUser(caller), target, after: { client_id: clientId } })
    return { status: 'revoked' }
  })
