// How a tenant's hosted pages look, for its administrators. Ours, in JSON.
import { may } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { Branding, PutBranding } from './branding.schema.ts'
import { route } from './group.ts'

export const brandingRoutes = [
  route({
    id: 'login.readBranding',
    on: 'GET /branding',
    summary: 'How the tenant\u2019s hosted pages look.',
    access: may('admin:access'),
    reply: json(200, Branding),
    errors: [],
    emits: 'nothing',
    render: problem,
    handle: async ({ ctx, principal }) => (await import('./branding.ts')).readBranding(ctx, principal),
  }),
  route({
    id: 'login.saveBranding',
    on: 'PUT /branding',
    summary: 'Set logo, colours and radius. Unreadable colours are corrected, and the reply notes each correction.',
    access: may('admin:access', 'admin:manage'),
    body: PutBranding,
    reply: json(200, Branding),
    errors: ['invalid_request'],
    emits: ['tenant.branding_changed'],
    render: problem,
    handle: async ({ ctx, principal, body }) => (await import('./branding.ts')).saveBranding(ctx, principal, body),
  }),
]
