// With COMPATIBILITY=authsec a client need not prove itself at the endpoints where AuthSec asks for no proof: closed deployments must take unmodified clients at once.

import { directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { type ClientEntry, findClientEntry, findDefaultClient } from '#db/store/clients'
import { findOnlyCompany } from '#db/store/tenants'
import { parseClientId } from '#shared/domains/clients/application'
import type { RequestCtx } from '#shared/domains/context'
import { usesBasicAuth } from '#shared/platform/http/basic-auth'
import { chooseAdministratorTenant } from './choose-tenant.ts'

/** The default client of the tenant where the person is an administrator, else of the only tenant of the deployment. */
const clientOfPerson = async (ctx: RequestCtx, email: string): Promise<ClientEntry | undefined> => {
  const tenantId = (await chooseAdministratorTenant(ctx, { email })) ?? (await onlyCompany(ctx))
  return tenantId === undefined ? undefined : defaultClientOf(ctx, tenantId)
}

const onlyCompany = (ctx: RequestCtx): Promise<TenantId | undefined> =>
  ctx.config.TENANCY === 'single' ? findOnlyCompany(directory(ctx.db), SYSTEM_TENANT) : Promise.resolve(undefined)

const defaultClientOf = async (ctx: RequestCtx, tenantId: TenantId): Promise<ClientEntry | undefined> => {
  const client = await findDefaultClient(forTenant(ctx.db, tenantId))
  return client === undefined || !client.active ? undefined : { clientId: client.id, tenantId, active: true }
}

/**
 * The client that a request names by its plain id, in the body or in `X-Client-ID`; without an id, that of the person's tenant. Undefined when the deployment does
 * not take unproved clients, and where a proof is presented: a wrong proof is refused.
 */
export const unprovedClient = async (
  ctx: RequestCtx,
  given: { readonly named: string | undefined; readonly email: string },
): Promise<ClientEntry | undefined> => {
  if (ctx.config.COMPATIBILITY !== 'authsec' || usesBasicAuth(ctx.request)) return undefined
  const texts = [given.named, ctx.request.header('x-client-id')].filter((text) => text !== undefined && text !== '')
  const [text, another] = new Set(texts)
  if (text === undefined) return clientOfPerson(ctx, given.email)
  const id = another !== undefined || text.includes('~') ? undefined : parseClientId(text)
  const entry = id === undefined ? undefined : await findClientEntry(directory(ctx.db), id)
  return entry?.active === true ? entry : undefined
}

/** The client for which `unprovedClient` started a request of this tenant without a client id. */
export const unnamedClientOf = async (ctx: RequestCtx, tenantId: TenantId | undefined): Promise<string | undefined> => {
  const isNamed = usesBasicAuth(ctx.request) || (ctx.request.header('x-client-id') ?? '') !== ''
  if (ctx.config.COMPATIBILITY !== 'authsec' || tenantId === undefined || isNamed) return undefined
  return (await defaultClientOf(ctx, tenantId))?.clientId
}
