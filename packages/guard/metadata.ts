// What a client has to know of this resource (RFC 9728), where it looks for it.
import { CLIENT_SIGNING_ALGS } from '../../shared/domains/oauth/supported.ts'

type Described = {
  readonly issuer: string
  readonly resource: string
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly detailTypes?: readonly string[]
}

const ROOT = '/.well-known/oauth-protected-resource'

/** RFC 9728 section 3.1: the well-known part stands before the path. */
export const metadataPath = (resource: string): string => {
  const { pathname } = new URL(resource)
  return pathname === '/' ? ROOT : `${ROOT}${pathname}`
}

const documentOf = ({ issuer, resource, name, scopes, detailTypes }: Described) => ({
  resource,
  authorization_servers: [issuer],
  ...(name === undefined ? {} : { resource_name: name }),
  ...(scopes === undefined ? {} : { scopes_supported: scopes }),
  ...(detailTypes === undefined ? {} : { authorization_details_types_supported: detailTypes }),
  bearer_methods_supported: ['header'],
  dpop_signing_alg_values_supported: CLIENT_SIGNING_ALGS,
})

/** Public, and read by pages of any origin: MCP clients live in browsers, too. */
export const metadataResponse = (described: Described, request: Request): Response | undefined => {
  if ((request.method !== 'GET' && request.method !== 'HEAD') || new URL(request.url).pathname !== metadataPath(described.resource)) return undefined
  return Response.json(documentOf(described), {
    headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=300' },
  })
}
