// Settings of a tenant, for its administrators; for any tenant, for platform administrators.
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { may, mayFresh } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { PatchSettings, Settings, SettingsQuery } from './settings.schema.ts'

export const settingsRoutes = [
  route({
    id: 'people.readSettings',
    on: 'GET /tenant/settings',
    summary: 'The tenant\u2019s effective settings, with the ETag that a change needs.',
    access: may('admin:access'),
    query: SettingsQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, Settings),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await import('./settings.ts')).readSettings(ctx, actingTenant(principal, query.tenant_id)),
  }),
  route({
    id: 'people.changeSettings',
    on: 'PATCH /tenant/settings',
    summary:
      'Change the tenant\u2019s settings (If-Match required); null restores the default. A change that reduces protection needs the whole administrator role and a recent sign-in with two factors.',
    access: mayFresh({ withinSeconds: STEP_UP_SECONDS }, 'admin:access', 'admin:manage'),
    query: SettingsQuery,
    body: PatchSettings,
    actsIn: 'query.tenant_id',
    reply: json(200, Settings),
    errors: [
      'not_found',
      'forbidden',
      'provider_not_enabled',
      'redirect_refused',
      'would_lock_out',
      'cannot_grant',
      'insufficient_user_authentication',
      'precondition_required',
      'precondition_failed',
    ],
    emits: ['tenant.settings_changed', 'sessions.revoked'],
    handle: async ({ ctx, principal, query, body }) =>
      (await import('./settings.ts')).changeSettings(ctx, principal, actingTenant(principal, query.tenant_id), body),
  }),
]
