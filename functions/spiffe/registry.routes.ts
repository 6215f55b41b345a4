// Routes of AuthSec's workload registry.
import { may } from '#shared/platform/http/access'
import { authsecError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { NewRegistryWorkload, RegistryDeleted, RegistryList, RegistryPath, RegistryWorkload, RegistryWorkloadChange } from './registry.schema.ts'
import { addWorkload, changeWorkload, deleteWorkload, findWorkloads } from './registry.ts'

const managing = may('admin:access', 'spire:manage')
const render = authsecError

export const registryRoutes = [
  route({
    id: 'spire.addWorkload',
    on: 'POST /authsec/spire/registry/workloads',
    summary: 'Register a workload by the label of its owner.',
    access: managing,
    body: NewRegistryWorkload,
    reply: json(201, RegistryWorkload),
    errors: ['invalid_request', 'entry_exists', 'quota_exceeded', 'not_found', 'cannot_grant'],
    emits: ['spiffe_entry.created'],
    render,
    handle: ({ ctx, principal, body }) => addWorkload(ctx, principal, body),
  }),
  route({
    id: 'spire.changeWorkload',
    on: 'PUT /authsec/spire/registry/workloads/:id',
    summary: 'Change the owner of a workload. Its SVIDs end.',
    access: managing,
    path: RegistryPath,
    body: RegistryWorkloadChange,
    reply: json(200, RegistryWorkload),
    errors: ['not_found', 'invalid_request', 'cannot_grant'],
    emits: ['spiffe_entry.updated'],
    render,
    handle: ({ ctx, principal, path, body }) => changeWorkload(ctx, principal, path.id, body),
  }),
  route({
    id: 'spire.deleteWorkload',
    on: 'DELETE /authsec/spire/registry/workloads/:id',
    summary: 'Delete a workload. Its SVIDs end.',
    access: managing,
    path: RegistryPath,
    reply: json(200, RegistryDeleted),
    errors: ['not_found'],
    emits: ['spiffe_entry.deleted'],
    render,
    handle: ({ ctx, principal, path }) => deleteWorkload(ctx, principal, path.id),
  }),
  route({
    id: 'spire.listWorkloads',
    on: 'GET /authsec/spire/registry/workloads',
    summary: 'List the workloads that are registered by the label of an owner.',
    access: managing,
    reply: json(200, RegistryList),
    errors: [],
    emits: 'nothing',
    render,
    handle: ({ ctx, principal }) => findWorkloads(ctx, principal),
  }),
]
