// Routes of the one-time link for a first password: its page, and the requests of the page.
import { open } from '#shared/platform/http/access'
import { empty, html, json } from '#shared/platform/http/route'
import { NEW_PASSWORD_ERRORS } from './credentials.routes.ts'
import { route } from './group.ts'
import { OpenedLink, OpenLink, SetPassword } from './set-password.schema.ts'
import { openLink, setPassword } from './set-password.ts'

export const setPasswordRoutes = [
  route({
    id: 'account.setPasswordPage',
    on: 'GET /account/set-password',
    summary: 'The page of a mailed link to choose a password.',
    access: open('The page has no personal data, and the secret of the link stays in the fragment.', { class: 'general' }),
    reply: html(200),
    errors: [],
    emits: 'nothing',
    // Imported on demand, so that the other routes start without the renderer.
    handle: async ({ ctx }) => (await import('./set-password.page.tsx')).setPasswordPage(ctx),
  }),
  route({
    id: 'account.openSetPasswordLink',
    on: 'POST /account/set-password/link',
    summary: 'Return the account of a mailed link while the link is valid.',
    access: open('The one-time link is the proof.', { class: 'status' }),
    body: OpenLink,
    reply: json(200, OpenedLink),
    errors: ['link_expired'],
    emits: 'nothing',
    handle: ({ ctx, body }) => openLink(ctx, body),
  }),
  route({
    id: 'account.setPassword',
    on: 'POST /account/set-password',
    summary: 'Set a password through a mailed one-time link.',
    access: open('The one-time link is the proof.', { class: 'credential' }),
    body: SetPassword,
    reply: empty(204),
    errors: ['link_expired', ...NEW_PASSWORD_ERRORS],
    emits: ['user.password_changed', 'user.email_verified', 'factors.reset'],
    handle: ({ ctx, body }) => setPassword(ctx, body),
  }),
]
