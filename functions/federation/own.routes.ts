// A person's own sign-ins at other providers, on our own pages. Rules and renderer are loaded when somebody comes by.

import { browser } from '#shared/platform/http/access'
import { PageQuery } from '#shared/platform/http/pages/fields.schema'
import { empty, htmlOrGo } from '#shared/platform/http/route'
import { pageErrorOnDemand } from '#shared/platform/pages/on-demand.tsx'
import { route } from './group.ts'
import { FRESH } from './initiate.routes.ts'
import { OwnProviderForm, OwnProviderQuery } from './pages.schema.ts'

const rules = () => import('./own.ts')

export const ownRoutes = [
  route({
    id: 'federation.ownPage',
    on: 'GET /me/providers',
    summary: 'The caller\u2019s sign-ins at other providers, and those that could be connected.',
    access: browser({ stepUp: FRESH }),
    query: PageQuery,
    reply: htmlOrGo(),
    errors: ['insufficient_user_authentication'],
    emits: 'nothing',
    render: pageErrorOnDemand,
    handle: async ({ ctx, principal }) => (await import('./own.page.tsx')).ownPage(ctx, principal),
  }),
  route({
    id: 'federation.connectOwn',
    on: 'GET /me/providers/connect',
    summary: 'Go to a provider, to connect what one has there.',
    access: browser({ stepUp: FRESH, limit: { class: 'status' } }),
    query: OwnProviderQuery,
    reply: empty(303),
    errors: ['cross_site', 'insufficient_user_authentication', 'provider_not_enabled', 'provider_unavailable'],
    emits: 'nothing',
    render: pageErrorOnDemand,
    handle: async ({ ctx, principal, query }) => (await rules()).connectOwn(ctx, principal, query.provider),
  }),
  route({
    id: 'federation.removeOwn',
    on: 'POST /me/providers/remove',
    summary: 'Disconnect a provider; other sessions end.',
    access: browser({ stepUp: FRESH, form: '/me/providers' }),
    form: OwnProviderForm,
    reply: empty(303),
    errors: ['insufficient_user_authentication', 'identity_not_linked', 'last_sign_in_method'],
    emits: ['identity.unlinked'],
    render: pageErrorOnDemand,
    handle: async ({ ctx, principal, form }) => (await rules()).removeOwn(ctx, principal, form.provider),
  }),
]
