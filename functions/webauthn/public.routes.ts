// Public routes for browsers and monitors.
import * as z from 'zod'
import { directory } from '#db/engine/tenant'
import { pingDatabase } from '#db/store/ping'
import { open } from '#shared/platform/http/access'
import { json, oneOfStatuses, text, withStatus } from '#shared/platform/http/route'
import { route } from './group.ts'
import { SCRIPT } from './passkey.client.generated.ts'
import { relatedOrigins } from './related-origins.ts'

const Origins = z.object({ origins: z.array(z.string()) }).meta({ id: 'RelatedOrigins' })
const Health = z.object({ status: z.enum(['healthy', 'unhealthy']), service: z.literal('webauthn') }).meta({ id: 'WebauthnHealth' })

export const publicRoutes = [
  route({
    id: 'webauthn.relatedOrigins',
    on: 'GET /.well-known/webauthn',
    summary: 'Origins that may use the passkeys of this host (WebAuthn Level 3 section 5.11).',
    access: open('Browsers request it from every host, without credentials.', { class: 'general' }),
    reply: json(200, Origins),
    // Short, so that a removed domain soon stops being related.
    cache: 'public, max-age=300',
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx }) => relatedOrigins(ctx),
  }),
  route({
    id: 'webauthn.script',
    on: 'GET /authsec/webauthn/passkey.js',
    summary: 'Passkeys for a page, as one script: register, sign in, forget.',
    access: open('A static script without personal data.', { class: 'general' }),
    reply: text(200, 'text/javascript; charset=utf-8'),
    cache: 'public, max-age=300',
    errors: [],
    emits: 'nothing',
    handle: async () => SCRIPT,
  }),
  route({
    id: 'webauthn.health',
    on: 'GET /authsec/webauthn/health',
    summary: 'Whether the database that passkeys need answers.',
    access: open('Load balancers and monitors carry no credential.', { class: 'general' }),
    reply: oneOfStatuses({ 200: Health, 503: Health }),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) =>
      pingDatabase(directory(ctx.db)).then(
        () => withStatus(200, { status: 'healthy' as const, service: 'webauthn' as const }),
        () => withStatus(503, { status: 'unhealthy' as const, service: 'webauthn' as const }),
      ),
  }),
]
