// Routes of AuthSec's SDK at a resource server: the server authenticates itself with its introspection secret.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ManifestAccepted, SdkManifest, SdkPolicy } from './manifest.schema.ts'
import { ServerPath } from './servers.schema.ts'

const BASE = '/authsec/resource-servers'
/** Loaded on first use, to keep the cold start small. */
const rules = () => import('./manifest.ts')
const byServer = open('The resource server authenticates itself by HTTP Basic with its id and introspection secret.', { class: 'general' })

export const manifestRoutes = [
  route({
    id: 'resources.sdkPolicy',
    on: `GET ${BASE}/:id/sdk-policy`,
    summary: 'The scopes that callers of each tool need, for the SDK of the resource server. Tools that are not listed may not be called.',
    access: byServer,
    path: ServerPath,
    reply: json(200, SdkPolicy),
    errors: ['client_authentication_failed'],
    emits: 'nothing',
    handle: async ({ ctx, path }) => (await rules()).readSdkPolicy(ctx, path.id),
  }),
  route({
    id: 'resources.putManifest',
    on: `PUT ${BASE}/:id/sdk-manifest`,
    summary: 'Declare the tools of the resource server. New tools may not be called before an administrator activates them.',
    access: byServer,
    path: ServerPath,
    body: SdkManifest,
    reply: json(200, ManifestAccepted),
    errors: ['client_authentication_failed'],
    emits: ['resource_server.tools_declared'],
    handle: async ({ ctx, path, body }) => (await rules()).putManifest(ctx, path.id, body),
  }),
]
