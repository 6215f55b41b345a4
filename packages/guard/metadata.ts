// The protected resource metadata (RFC 9728) and its path.
import { CLIENT_SIGNING_ALGS } from '../../shared/domains/oauth/supported.ts'

type Described = {
  readonly issuer: string
  readonly resource: string
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly detailTypes?: readonly string[]
}

const ROOT = '/.well-known/oauth-protected-resource'

/** RFC 9728 section 3.1: the well-known part precedes the path. */
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

/** Public and readable from any origin: MCP clients also run in browsers. */
export const metadataResponse = (described: Described, request: Request): Response | undefined => {
  if ((request.method !== 'GET' && request.method !== 'HEAD') || new URL(request.url).pathname !== metadataPath(described.resource)) return undefined
  return Response.json(documentOf(described), {
    headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=300' },
  })
}
