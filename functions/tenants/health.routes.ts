// Health, for load balancers and monitors. Public, so it returns only a status, without tenants or infrastructure.
import { open } from '#shared/platform/http/access'
import { json, oneOfStatuses } from '#shared/platform/http/route'
import { route } from './group.ts'
import { HealthDelegated, HealthHealthy, HealthTenantPath, HealthUnhealthy } from './health.schema.ts'
import { checkHealth, delegatedHealth } from './health.ts'

const access = open('Load balancers and monitors carry no credential.', { class: 'general' })

export const healthRoutes = [
  route({
    id: 'health.check',
    on: 'GET /authsec/uflow/health',
    summary: 'Whether the deployment can serve.',
    access,
    reply: oneOfStatuses({ 200: HealthHealthy, 503: HealthUnhealthy }),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => checkHealth(ctx),
  }),
  route({
    id: 'health.tenant',
    on: 'GET /authsec/uflow/health/tenant/:tenant_id',
    summary: 'Health of one tenant, which is that of the deployment.',
    access,
    path: HealthTenantPath,
    reply: json(200, HealthDelegated),
    errors: [],
    emits: 'nothing',
    handle: () => delegatedHealth(),
  }),
  route({
    id: 'health.tenants',
    on: 'GET /authsec/uflow/health/tenants',
    summary: 'Health of all tenants, which is that of the deployment.',
    access,
    reply: json(200, HealthDelegated),
    errors: [],
    emits: 'nothing',
    handle: () => delegatedHealth(),
  }),
]
