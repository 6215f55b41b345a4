// A person's own passkeys, and for administrators the passkeys that may have been copied. An extension.
import { may, user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CounterAlarms, PasskeyPath, PasskeyRemoved, Passkeys, RemovePasskey, RenamePasskey } from './passkeys.schema.ts'

export const passkeysRoutes = [
  route({
    id: 'webauthn.passkeys.list',
    on: 'GET /authsec/webauthn/passkeys',
    summary: "The caller's passkeys, with signals for password managers.",
    access: user(),
    reply: json(200, Passkeys),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./passkeys.ts')).showOwnPasskeys(ctx, principal),
  }),
  route({
    id: 'webauthn.passkeys.rename',
    on: 'PATCH /authsec/webauthn/passkeys/:id',
    summary: 'Name a passkey.',
    access: user(),
    path: PasskeyPath,
    body: RenamePasskey,
    reply: json(200, Passkeys),
    errors: ['not_found'],
    emits: ['factor.renamed'],
    handle: async ({ ctx, principal, path, body }) => (await import('./passkeys.ts')).renamePasskey(ctx, principal, path.id, body.name),
  }),
  route({
    id: 'webauthn.passkeys.remove',
    on: 'DELETE /authsec/webauthn/passkeys/:id',
    summary: 'Remove a passkey; the answer has the signals that remove it from the password manager too.',
    access: user(),
    path: PasskeyPath,
    query: RemovePasskey,
    reply: json(200, PasskeyRemoved),
    errors: ['not_found', 'insufficient_user_authentication', 'last_factor', 'weaker_factors_remain'],
    emits: ['factor.removed'],
    handle: async ({ ctx, principal, path, query }) => (await import('./passkeys.ts')).removePasskey(ctx, principal, path.id, query.accept_weaker),
  }),
  route({
    id: 'webauthn.alarms',
    on: 'GET /authsec/webauthn/alarms',
    summary: 'Passkeys of the company that are blocked because their counter went back and they may have been copied.',
    access: may('admin:access', 'users:read'),
    reply: json(200, CounterAlarms),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./passkeys.ts')).counterAlarms(ctx, principal),
  }),
]
