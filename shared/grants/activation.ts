// What the person sees before deciding on a code: who asks, for what, from which device, until when. For the API and for the page alike.
import { type Client, findClient } from '#db/store/clients'
import type { DeviceGrant } from '#db/store/device-grants'
import { findTenant } from '#db/store/tenants'
import { forTenant, type TenantDb } from '#db/tenant'
import type { RequestCtx } from '../context.ts'
import type { User } from '../http/principal.ts'
import { lookUpUserCode } from './device.ts'
import { plainText } from './plain-text.ts'

const MOST_NAME = 80
const MOST_DESCRIPTION = 160

export type Activation = {
  readonly state: 'pending'
  readonly userCode: string
  /** Undefined where no client began it: whoever asks is not known to us. */
  readonly clientName: string | undefined
  /** The tenant whose the grant will be, where a client bound it. */
  readonly tenantDomain: string | undefined
  /** What the device says of itself; nobody has checked it. */
  readonly deviceInfo: Readonly<Record<string, string>>
  readonly scopes: readonly string[]
  /** What the authorization server asks for: no session, but these scopes at this resource server. */
  readonly oauth:
    | {
        readonly server: { readonly name: string; readonly host: string } | undefined
        /** Of scopes that the resource server explains. */
        readonly descriptions: Readonly<Record<string, string>>
        /** The client said itself what it is called. */
        readonly isUnverified: boolean
      }
    | undefined
  readonly channel: 'device' | 'voice'
  readonly requestedAt: Date
  readonly expiresAt: Date
}

const oauthPart = async (t: TenantDb, { forOauth, resourceServerId }: DeviceGrant, client: Client | undefined): Promise<Activation['oauth']> => {
  if (!forOauth) return undefined
  const { findResourceServer, listScopes } = await import('#db/store/resource-servers')
  const server = resourceServerId === null ? undefined : await findResourceServer(t, resourceServerId)
  const scopes = server === undefined ? [] : await listScopes(t, server.id)
  const described = scopes.flatMap(({ name, description }) => {
    const text = plainText(description, MOST_DESCRIPTION)
    return text === undefined ? [] : [[name, text] as const]
  })
  return {
    server: server && { name: plainText(server.name, MOST_NAME) ?? '', host: new URL(server.resource).host },
    descriptions: Object.fromEntries(described),
    isUnverified: client !== undefined && client.registeredBy !== 'administrator',
  }
}

/** @throws AppError rate_limited after ten wrong codes of an address */
export const showActivation = async (
  ctx: RequestCtx,
  typed: string,
  caller?: Pick<User, 'tenantId' | 'userId'>,
): Promise<Activation | { readonly state: 'decided' | 'unknown' }> => {
  const found = await lookUpUserCode(ctx, typed, caller)
  if (found.state !== 'pending') return found
  const { grant, entry, userCode } = found
  const t = forTenant(ctx.db, entry.tenantId)
  const client = grant.clientId === null ? undefined : await findClient(t, grant.clientId)
  const tenant = grant.clientId === null ? undefined : await findTenant(t)
  return {
    state: 'pending',
    userCode,
    clientName: client === undefined ? undefined : plainText(client.name, MOST_NAME),
    tenantDomain: tenant?.domain,
    deviceInfo: grant.deviceInfo ?? {},
    scopes: grant.scopes,
    oauth: await oauthPart(t, grant, client),
    channel: grant.channel,
    requestedAt: grant.createdAt,
    expiresAt: grant.expiresAt,
  }
}
