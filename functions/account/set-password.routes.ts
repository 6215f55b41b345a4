// The one-time link by which a first password is chosen: its page, and what the page sends.
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
    summary: 'The page behind a mailed link to choose a password.',
    access: open('A page without anybody\u2019s data; the link\u2019s secret never reaches the server with it.', { class: 'general' }),
    reply: html(200),
    errors: [],
    emits: 'nothing',
    // Loaded when somebody opens it: every other call of the function starts without the renderer.
    handle: async ({ ctx }) => (await import('./set-password.page.tsx')).setPasswordPage(ctx),
  }),
  route({
    id: 'account.openSetPasswordLink',
    on: 'POST /account/set-password/link',
    summary: 'Whose account a mailed link is for, while it is good.',
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
    emits: ['user.password_changed', 'user.email_verified'],
    handle: ({ ctx, body }) => setPassword(ctx, body),
  }),
]
