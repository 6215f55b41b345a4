// Routes for a person's own identities at external providers.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { Identities, UnlinkedIdentity, UnlinkPath } from './identities.schema.ts'
import { RECENT_SIGN_IN } from './initiate.routes.ts'

const rules = () => import('./identities.ts')

const BASE = '/authsec/uflow/oidc'

export const identityRoutes = [
  route({
    id: 'federation.identities',
    on: `GET ${BASE}/identities`,
    summary: "List the caller's identities at external providers.",
    access: user(),
    reply: json(200, Identities),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await rules()).showIdentities(ctx, principal),
  }),
  route({
    id: 'federation.unlink',
    on: `DELETE ${BASE}/unlink/:provider`,
    summary: "Disconnect a provider from the caller's account; other sessions end.",
    access: user(RECENT_SIGN_IN),
    path: UnlinkPath,
    reply: json(200, UnlinkedIdentity),
    errors: ['identity_not_linked', 'last_sign_in_method'],
    emits: ['identity.unlinked'],
    handle: async ({ ctx, principal, path }) => (await rules()).unlinkIdentity(ctx, principal, path.provider),
  }),
]
