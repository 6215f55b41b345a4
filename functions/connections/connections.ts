// A tenant's own providers, on the paths of this project.
import type * as z from 'zod'
import { atomically, directory, forTenant, type TenantTx } from '#db/engine/tenant'
import { findCustomDomains } from '#db/store/domains'
import { findProviderById, listProviders, lockProviderById, lockProviders, type Provider, updateProvider } from '#db/store/providers'
import { callbackUrl } from '#shared/domains/federation/callback-url'
import { upstreamOf } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { addConnection, type ConnectionFields, type ConnectionInput, changeConnection, providerAuditDetails, removeConnection } from './connection.ts'
import { checkConnection } from './connection-check.ts'
import type { Connection, ConnectionChanges, ConnectionOrder, Connections, ConnectionTest, NewConnection } from './connections.schema.ts'
import type { Ctx } from './group.ts'

type ResponseBody = z.input<typeof Connection>

const FIELDS: ConnectionFields = {
  name: 'body.name',
  issuer: 'body.issuer',
  secret: 'body.client_secret',
  clientId: 'body.client_id',
  domains: 'body.allowed_email_domains',
  parameters: 'body.parameters',
}

/** Redirect URIs to register at a provider: of the platform, and of every verified domain of the tenant. */
const redirectUris = async (ctx: Ctx, caller: User): Promise<string[]> => [
  callbackUrl(ctx.config.BASE_URL),
  ...(await findCustomDomains(directory(ctx.db), caller.tenantId)).map((domain) => callbackUrl(`https://${domain}`)),
]

const toResponse = (row: Provider, redirect_uris: string[]): ResponseBody => {
  const upstream = upstreamOf({ ...row, isActive: true, clientId: row.clientId === '' ? 'any' : row.clientId })
  return {
    id: row.id,
    name: row.providerName,
    display_name: row.displayName,
    kind: upstream?.peer.github === undefined ? 'openid' : 'github',
    issuer: upstream?.peer.issuer ?? '',
    client_id: row.clientId,
    has_secret: row.sealedClientSecret !== null,
    scopes: (upstream?.peer.scopes ?? row.scopes).split(' '),
    parameters: { ...row.additionalParams },
    icon: row.icon,
    button_text: row.buttonText,
    order: row.sortOrder,
    active: row.isActive,
    allowed_email_domains: row.allowedEmailDomains,
    jit_provisioning: row.jitProvisioning,
    trusts_factors: row.trustsFactors,
    redirect_uris,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

/** The ETag covers every member that a change can change; the encrypted secret stands for the secret. */
const tagOf = (row: Provider): string => {
  const seal = row.sealedClientSecret === null ? null : Buffer.from(row.sealedClientSecret).toString('base64')
  return etagOf([providerAuditDetails(row), row.icon, row.buttonText, row.tokenUrl, row.userinfoUrl, row.jwksUrl, seal])
}
const tagged = async (ctx: Ctx, caller: User, row: Provider): Promise<HttpResult<ResponseBody>> =>
  new HttpResult(toResponse(row, await redirectUris(ctx, caller)), { headers: { ETag: tagOf(row) } })

const GITHUB_PATH = '/login/oauth/authorize'

/** The address of a provider: its issuer, or the origin of a GitHub server. Without either, the name selects a preset. */
const addressInput = ({ issuer, github_origin }: Pick<z.output<typeof ConnectionChanges>, 'issuer' | 'github_origin'>): ConnectionInput => ({
  ...(issuer === undefined ? {} : { issuer }),
  ...(github_origin === undefined ? {} : { authorizationUrl: github_origin === null ? '' : `${github_origin.replace(/\/$/, '')}${GITHUB_PATH}` }),
})

type Input = Omit<z.output<typeof ConnectionChanges>, 'client_secret'> & { readonly client_secret?: string | undefined }

const connectionInput = (request: Input): ConnectionInput => ({
  ...addressInput(request),
  ...(request.display_name === undefined ? {} : { displayName: request.display_name }),
  ...(request.client_id === undefined ? {} : { clientId: request.client_id }),
  ...(request.client_secret === undefined ? {} : { secret: request.client_secret }),
  ...(request.scopes === undefined ? {} : { scopes: [...new Set(request.scopes)].join(' ') }),
  ...(request.parameters === undefined ? {} : { additionalParams: request.parameters }),
  ...(request.icon === undefined ? {} : { icon: request.icon }),
  ...(request.button_text === undefined ? {} : { buttonText: request.button_text }),
  ...(request.order === undefined ? {} : { sortOrder: request.order }),
  ...(request.active === undefined ? {} : { isActive: request.active }),
  ...(request.allowed_email_domains === undefined ? {} : { allowedEmailDomains: [...new Set(request.allowed_email_domains)] }),
  ...(request.jit_provisioning === undefined ? {} : { jitProvisioning: request.jit_provisioning }),
  ...(request.trusts_factors === undefined ? {} : { trustsFactors: request.trusts_factors }),
})

export const listConnections = async (ctx: Ctx, caller: User): Promise<z.input<typeof Connections>> => {
  const uris = await redirectUris(ctx, caller)
  return { connections: (await listProviders(forTenant(ctx.db, caller.tenantId))).map((row) => toResponse(row, uris)) }
}

/** @throws AppError invalid_request, provider_exists, provider_limit */
export const createConnection = async (ctx: Ctx, caller: User, body: z.output<typeof NewConnection>): Promise<HttpResult<ResponseBody>> => {
  const row = await atomically(forTenant(ctx.db, caller.tenantId), (t) => addConnection(t, ctx, caller, body.name, connectionInput(body), FIELDS))
  return tagged(ctx, caller, row)
}

/** @throws AppError not_found */
export const readConnection = async (ctx: Ctx, caller: User, id: string): Promise<HttpResult<ResponseBody>> => {
  const row = await findProviderById(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return tagged(ctx, caller, row)
}

const lockConnection = async (t: TenantTx, id: string): Promise<Provider> => {
  const row = await lockProviderById(t, id)
  if (row === undefined) throw new AppError('not_found')
  return row
}

/** @throws AppError not_found, invalid_request, precondition_required, precondition_failed */
export const updateConnection = async (
  ctx: Ctx,
  caller: User,
  id: string,
  body: z.output<typeof ConnectionChanges>,
): Promise<HttpResult<ResponseBody>> => {
  const requirePrecondition = preconditionOf(ctx, 'required')
  const { client_secret, ...rest } = body
  const row = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockConnection(t, id)
    requirePrecondition(tagOf(before))
    // `null` removes the secret, for a client without one.
    if (client_secret === null) await updateProvider(t, id, { sealedClientSecret: null })
    const current = client_secret === null ? { ...before, sealedClientSecret: null } : before
    return changeConnection(t, ctx, caller, current, connectionInput({ ...rest, client_secret: client_secret ?? undefined }), FIELDS)
  })
  return tagged(ctx, caller, row)
}

/** @throws AppError not_found */
export const deleteConnection = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await removeConnection(t, ctx, caller, await lockConnection(t, id))
    return undefined
  })

/** Orders the providers; `ids` must name every provider once. @throws AppError invalid_request */
export const orderConnections = async (ctx: Ctx, caller: User, { ids }: z.output<typeof ConnectionOrder>): Promise<z.input<typeof Connections>> => {
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const rows = await lockProviders(t)
    const ordered = ids.map((id) => id.toLowerCase())
    const isAll = new Set(ordered).size === ordered.length && rows.length === ordered.length && rows.every(({ id }) => ordered.includes(id))
    if (!isAll) throw new AppError('invalid_request', 'body.ids: must name every provider once', { field: 'body.ids' })
    const [before, updatedAt] = [rows.toSorted((a, b) => a.sortOrder - b.sortOrder).map(({ id }) => id), ctx.clock.now()]
    for (const [at, id] of ordered.entries()) await updateProvider(t, id, { sortOrder: (at + 1) * 10, updatedAt })
    const target = { type: 'tenant', id: caller.tenantId }
    await recordEvent(t, ctx, { event: 'oidc_providers.ordered', actor: byUser(caller), target, before: { ids: before }, after: { ids: ordered } })
  })
  return listConnections(ctx, caller)
}

/** Sends requests to the provider now. @throws AppError not_found */
export const testConnection = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ConnectionTest>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const row = await findProviderById(t, id)
  if (row === undefined) throw new AppError('not_found')
  return checkConnection(ctx, caller, row)
}
