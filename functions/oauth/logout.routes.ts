// Where a client sends a person to sign out.

import { ENDPOINTS } from '#shared/domains/oauth/supported'
import { browser, open, page } from '#shared/platform/http/access'
import { empty, HttpResult, htmlOrRedirect } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { route } from './group.ts'
import { LogoutConfirmation, LogoutForm, LogoutQuery } from './logout.schema.ts'

const given = (members: Readonly<Record<string, string | undefined>>): [string, string][] =>
  Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]]))

export const logoutRoutes = [
  route({
    id: 'oauth.logout',
    on: 'GET /oauth/logout',
    summary: 'Sign out at the wish of a client (OpenID Connect RP-Initiated Logout).',
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
    summary: 'The same, sent as a form. From another site no session comes along, so the browser is led to the page.',
    access: open('Leads to the page, and does nothing.', { class: 'general' }),
    form: LogoutForm,
    reply: empty(303),
    errors: [],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ form }) => new HttpResult(undefined, { headers: { Location: `${ENDPOINTS.endSession}?${new URLSearchParams(given(form))}` } }),
  }),
  route({
    id: 'oauth.logout.confirm',
    on: 'POST /oauth/logout/confirm',
    summary: 'What the person says to it.',
    access: browser({ form: '/oauth/logout', withTemporaryPassword: true }),
    form: LogoutConfirmation,
    reply: htmlOrRedirect(),
    errors: [],
    emits: ['user.signed_out'],
    render: lazyPageError,
    handle: async ({ ctx, principal, form }) => (await import('./logout.ts')).confirmLogout(ctx, principal, form),
  }),
]
