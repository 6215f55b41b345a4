// A request of the authorization server that a person decides on another device: scopes and authorization details at a resource server.

import type { TenantDb } from '#db/engine/tenant'
import type { Client } from '#db/store/clients'
import { type DetailType, findDetailTypes } from '#db/store/oauth-details'
import type { RequestCtx } from '#shared/domains/context'
import type { Details } from '#shared/domains/oauth/details'
import { plainText } from './plain-text.ts'

const MOST_NAME = 80
const MOST_DESCRIPTION = 160

type Grant = { readonly forOauth: boolean; readonly resourceServerId: string | null; readonly details: Details }

export type DeviceResourceRequest = {
  readonly server: { readonly name: string; readonly host: string; readonly resource: string } | undefined
  /** Descriptions of the resource server's scopes, by scope name. */
  readonly descriptions: Readonly<Record<string, string>>
  readonly details: Details
  readonly types: readonly DetailType[]
  /** Whether the client chose its own name. */
  readonly isUnverified: boolean
}

export const findDeviceResourceRequest = async (
  t: TenantDb,
  { forOauth, resourceServerId, details }: Grant,
  client: Client | undefined,
): Promise<DeviceResourceRequest | undefined> => {
  if (!forOauth) return undefined
  const { findResourceServer, listServerScopes } = await import('#db/store/resource-servers')
  const server = resourceServerId === null ? undefined : await findResourceServer(t, resourceServerId)
  const scopes = server === undefined ? [] : await listServerScopes(t, server.id)
  const described = scopes.flatMap(({ name, description }) => {
    const text = plainText(description, MOST_DESCRIPTION)
    return text === undefined ? [] : [[name, text] as const]
  })
  return {
    server: server && { name: plainText(server.name, MOST_NAME) ?? '', host: new URL(server.resource).host, resource: server.resource },
    descriptions: Object.fromEntries(described),
    details,
    types: await findDetailTypes(
      t,
      details.map(({ type }) => type),
    ),
    isUnverified: client !== undefined && client.registeredBy !== 'administrator',
  }
}

/** The wire form, in the language of the request. */
export const toResourceRequestResponse = async ({ request }: Pick<RequestCtx, 'request'>, oauth: DeviceResourceRequest | undefined) => {
  const resource = oauth?.server === undefined ? {} : { resource: oauth.server.resource }
  if (oauth === undefined || oauth.details.length === 0) return resource
  const [{ describeDetails }, { preferredLanguage }] = await Promise.all([
    import('#shared/platform/pages/detail-descriptions'),
    import('#shared/platform/pages/language'),
  ])
  const words = describeDetails(oauth.details, oauth.types, preferredLanguage(request.header('accept-language')))
  return {
    ...resource,
    authorization_details: [...oauth.details],
    authorization_details_in_words: words.map(({ title, facts }) => ({ title, facts: [...facts] })),
  }
}
