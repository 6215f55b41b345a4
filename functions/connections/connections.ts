// A tenant's own providers, on our own paths.
import type * as z from 'zod'
import { atomically, directory, forTenant, type TenantTx } from '#db/engine/tenant'
import { findCustomDomains } from '#db/store/domains'
import { findProviderById, listProviders, lockProviderById, lockProviders, type Provider, updateProvider } from '#db/store/providers'
import { callbackUrl } from '#shared/domains/federation/callback-url'
import { ofRow } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { addConnection, changeConnection, type Fields, type Given, removeConnection, told } from './connection.ts'
import type { Connection, ConnectionChanges, ConnectionOrder, Connections, ConnectionTest, NewConnection } from './connections.schema.ts'
import { examine } from './examine.ts'
import type { Ctx } from './group.ts'

type Shown = z.input<typeof Connection>

const FIELDS: Fields = {
  name: 'body.name',
  issuer: 'body.issuer',
  secret: 'body.client_secret',
  clientId: 'body.client_id',
  domains: 'body.allowed_email_domains',
  parameters: 'body.parameters',
}

/** What to register at a provider: the platform's own address, and that of every domain that the tenant has proved. */
const redirectUris = async (ctx: Ctx, caller: User): Promise<string[]> => [
  callbackUrl(ctx.config.BASE_URL),
  ...(await findCustomDomains(directory(ctx.db), caller.tenantId)).map((domain) => callbackUrl(`https://${domain}`)),
]

const shown = (row: Provider, redirect_uris: string[]): Shown => {
  const speaks = ofRow({ ...row, isActive: true, clientId: row.clientId === '' ? 'any' : row.clientId })
  return {
    id: row.id,
    name: row.providerName,
    display_name: row.displayName,
    kind: speaks?.peer.github === undefined ? 'openid' : 'github',
    issuer: speaks?.peer.issuer ?? '',
    client_id: row.clientId,
    has_secret: row.sealedClientSecret !== null,
    scopes: (speaks?.peer.scopes ?? row.scopes).split(' '),
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

/** Of what a change can change; of the secret, that it was. */
const tagOf = (row: Provider): string => {
  const seal = row.sealedClientSecret === null ? null : Buffer.from(row.sealedClientSecret).toString('base64')
  return etagOf([told(row), row.icon, row.buttonText, row.tokenUrl, row.userinfoUrl, row.jwksUrl, seal])
}
const tagged = async (ctx: Ctx, caller: User, row: Provider): Promise<Sent<Shown>> =>
  new Sent(shown(row, await redirectUris(ctx, caller)), { headers: { ETag: tagOf(row) } })

const GITHUB_PATH = '/login/oauth/authorize'

/** One that is spoken to by its issuer, or a GitHub server by its origin; left out, its name says which of the known ones it is. */
const placeIn = ({ issuer, github_origin }: Pick<z.output<typeof ConnectionChanges>, 'issuer' | 'github_origin'>): Given => ({
  ...(issuer === undefined ? {} : { issuer }),
  ...(github_origin === undefined ? {} : { authorizationUrl: github_origin === null ? '' : `${github_origin.replace(/\/$/, '')}${GITHUB_PATH}` }),
})

type Asked = Omit<z.output<typeof ConnectionChanges>, 'client_secret'> & { readonly client_secret?: string | undefined }

const givenOf = (asked: Asked): Given => ({
  ...placeIn(asked),
  ...(asked.display_name === undefined ? {} : { displayName: asked.display_name }),
  ...(asked.client_id === undefined ? {} : { clientId: asked.client_id }),
  ...(asked.client_secret === undefined ? {} : { secret: asked.client_secret }),
  ...(asked.scopes === undefined ? {} : { scopes: [...new Set(asked.scopes)].join(' ') }),
  ...(asked.parameters === undefined ? {} : { additionalParams: asked.parameters }),
  ...(asked.icon === undefined ? {} : { icon: asked.icon }),
  ...(asked.button_text === undefined ? {} : { buttonText: asked.button_text }),
  ...(asked.order === undefined ? {} : { sortOrder: asked.order }),
  ...(asked.active === undefined ? {} : { isActive: asked.active }),
  ...(asked.allowed_email_domains === undefined ? {} : { allowedEmailDomains: [...new Set(asked.allowed_email_domains)] }),
  ...(asked.jit_provisioning === undefined ? {} : { jitProvisioning: asked.jit_provisioning }),
  ...(asked.trusts_factors === undefined ? {} : { trustsFactors: asked.trusts_factors }),
})

export const listConnections = async (ctx: Ctx, caller: User): Promise<z.input<typeof Connections>> => {
  const uris = await redirectUris(ctx, caller)
  return { connections: (await listProviders(forTenant(ctx.db, caller.tenantId))).map((row) => shown(row, uris)) }
}

/** @throws AppError invalid_request, provider_exists, provider_limit */
export const createConnection = async (ctx: Ctx, caller: User, body: z.output<typeof NewConnection>): Promise<Sent<Shown>> => {
  const row = await atomically(forTenant(ctx.db, caller.tenantId), (t) => addConnection(t, ctx, caller, body.name, givenOf(body), FIELDS))
  return tagged(ctx, caller, row)
}

/** @throws AppError not_found */
export const readConnection = async (ctx: Ctx, caller: User, id: string): Promise<Sent<Shown>> => {
  const row = await findProviderById(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return tagged(ctx, caller, row)
}

const locked = async (t: TenantTx, id: string): Promise<Provider> => {
  const row = await lockProviderById(t, id)
  if (row === undefined) throw new AppError('not_found')
  return row
}

/** @throws AppError not_found, invalid_request, precondition_required, precondition_failed */
export const updateConnection = async (ctx: Ctx, caller: User, id: string, body: z.output<typeof ConnectionChanges>): Promise<Sent<Shown>> => {
  const judge = preconditionOf(ctx, 'required')
  const { client_secret, ...rest } = body
  const row = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await locked(t, id)
    judge(tagOf(before))
    // A provider may be told to know us without a secret; then nothing is shown to it.
    if (client_secret === null) await updateProvider(t, id, { sealedClientSecret: null })
    const held = client_secret === null ? { ...before, sealedClientSecret: null } : before
    return changeConnection(t, ctx, caller, held, givenOf({ ...rest, client_secret: client_secret ?? undefined }), FIELDS)
  })
  return tagged(ctx, caller, row)
}

/** @throws AppError not_found */
export const deleteConnection = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await removeConnection(t, ctx, caller, await locked(t, id))
    return undefined
  })

/** Every one of the tenant's, once, in the order in which people shall see them. @throws AppError invalid_request */
export const orderConnections = async (ctx: Ctx, caller: User, { ids }: z.output<typeof ConnectionOrder>): Promise<z.input<typeof Connections>> => {
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const rows = await lockProviders(t)
    const wanted = ids.map((id) => id.toLowerCase())
    const isAll = new Set(wanted).size === wanted.length && rows.length === wanted.length && rows.every(({ id }) => wanted.includes(id))
    if (!isAll) throw new AppError('invalid_request', 'body.ids: name each of them once', { field: 'body.ids' })
    const [before, updatedAt] = [rows.toSorted((a, b) => a.sortOrder - b.sortOrder).map(({ id }) => id), ctx.clock.now()]
    for (const [at, id] of wanted.entries()) await updateProvider(t, id, { sortOrder: (at + 1) * 10, updatedAt })
    const target = { type: 'tenant', id: caller.tenantId }
    await record(t, ctx, { event: 'oidc_providers.ordered', actor: byUser(caller), target, before: { ids: before }, after: { ids: wanted } })
  })
  return listConnections(ctx, caller)
}

/** Asks the provider now. @throws AppError not_found */
export const testConnection = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ConnectionTest>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const row = await findProviderById(t, id)
  if (row === undefined) throw new AppError('not_found')
  return examine(ctx, caller, row)
}
