// Routes of agents on the paths of AuthSec.
import { may } from '#shared/platform/http/access'
import { authsecError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ListedAgent, ListedAgents, ListedPath, ListedQuery } from './listed.schema.ts'
import { listedAgent, listedAgents } from './listed.ts'

const BASE = '/authsec/uflow/admin/agents'

export const listedAgentRoutes = [
  route({
    id: 'admin.listAgents',
    on: `GET ${BASE}`,
    summary: 'List the agents of the tenant, newest first.',
    access: may('admin:access', 'clients:read'),
    query: ListedQuery,
    reply: json(200, ListedAgents),
    errors: [],
    emits: 'nothing',
    render: authsecError,
    handle: ({ ctx, principal, query }) => listedAgents(ctx, principal, query),
  }),
  route({
    id: 'admin.getAgent',
    on: `GET ${BASE}/:id`,
    summary: 'Read an agent.',
    access: may('admin:access', 'clients:read'),
    path: ListedPath,
    reply: json(200, ListedAgent),
    errors: ['not_found'],
    emits: 'nothing',
    render: authsecError,
    handle: ({ ctx, principal, path }) => listedAgent(ctx, principal, path.id),
  }),
]
