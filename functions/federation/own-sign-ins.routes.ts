// Routes for a person's own identities on the hosted pages. Rules and renderer are imported on demand.
import { browser } from '#shared/platform/http/access'
import { PageQuery } from '#shared/platform/http/pages/fields.schema'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { route } from './group.ts'
import { RECENT_SIGN_IN } from './initiate.routes.ts'
import { OwnProviderForm, OwnProviderQuery } from './pages.schema.ts'

const rules = () => import('./own-sign-ins.ts')

export const ownSignInRoutes = [
  route({
    id: 'federation.ownPage',
    on: 'GET /me/providers',
    summary: 'The page of the caller\u2019s connected and available providers.',
    access: browser({ stepUp: RECENT_SIGN_IN }),
    query: PageQuery,
    reply: htmlOrRedirect(),
    errors: ['insufficient_user_authentication'],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, principal }) => (await import('./own-sign-ins.page.tsx')).ownSignInsPage(ctx, principal),
  }),
  route({
    id: 'federation.connectOwn',
    on: 'GET /me/providers/connect',
    summary: 'Redirect to a provider to connect it.',
    access: browser({ stepUp: RECENT_SIGN_IN, limit: { class: 'status' } }),
    query: OwnProviderQuery,
    reply: empty(303),
    errors: ['cross_site', 'insufficient_user_authentication', 'provider_not_enabled', 'provider_unavailable'],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, principal, query }) => (await rules()).connectOwnProvider(ctx, principal, query.provider),
  }),
  route({
    id: 'federation.removeOwn',
    on: 'POST /me/providers/remove',
    summary: 'Disconnect a provider; other sessions end.',
    access: browser({ stepUp: RECENT_SIGN_IN, form: '/me/providers' }),
    form: OwnProviderForm,
    reply: empty(303),
    errors: ['insufficient_user_authentication', 'identity_not_linked', 'last_sign_in_method'],
    emits: ['identity.unlinked'],
    render: lazyPageError,
    handle: async ({ ctx, principal, form }) => (await rules()).removeOwnProvider(ctx, principal, form.provider),
  }),
]
