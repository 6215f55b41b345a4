// Routes of RP-Initiated Logout.

import { ENDPOINTS } from '#shared/domains/oauth/supported'
import { browser, open, page } from '#shared/platform/http/access'
import { empty, HttpResult, htmlOrRedirect } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { route } from './group.ts'
import { LogoutConfirmation, LogoutForm, LogoutQuery } from './logout.schema.ts'

const definedEntries = (members: Readonly<Record<string, string | undefined>>): [string, string][] =>
  Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]]))

export const logoutRoutes = [
  route({
    id: 'oauth.logout',
    on: 'GET /oauth/logout',
    summary: 'Sign out, requested by a client (OpenID Connect RP-Initiated Logout).',
    access: page('The client sends a person here, who may be signed out already.', { class: 'general' }),
    query: LogoutQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: ['user.signed_out'],
    render: lazyPageError,
    handle: async ({ ctx, principal, query }) => (await import('./logout.ts')).logout(ctx, principal, query),
  }),
  route({
    id: 'oauth.logout.post',
    on: 'POST /oauth/logout',
    summary: 'The same, sent as a form. A form from another site carries no session cookie, so the browser is redirected to the page.',
    access: open('Redirects to the page, and changes nothing.', { class: 'general' }),
    form: LogoutForm,
    reply: empty(303),
    errors: [],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ form }) =>
      new HttpResult(undefined, { headers: { Location: `${ENDPOINTS.endSession}?${new URLSearchParams(definedEntries(form))}` } }),
  }),
  route({
    id: 'oauth.logout.confirm',
    on: 'POST /oauth/logout/confirm',
    summary: 'Submit the decision of the sign-out page.',
    access: browser({ form: '/oauth/logout', withTemporaryPassword: true }),
    form: LogoutConfirmation,
    reply: htmlOrRedirect(),
    errors: [],
    emits: ['user.signed_out'],
    render: lazyPageError,
    handle: async ({ ctx, principal, form }) => (await import('./logout.ts')).confirmLogout(ctx, principal, form),
  }),
]
