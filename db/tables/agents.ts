// Agents: principals with an owner, and the policies by which people delegate to them.
import { boolean, foreignKey, index, integer, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'

export type AgentStatus = 'active' | 'suspended' | 'retired'

/** An agent is a client with the same id and an owner. The client has its credentials and its active state. */
export const agents = schema.table(
  'agents',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** The owner. No foreign key: when that person is deleted the agent stops, but its row remains. */
    ownerId: uuid('owner_id').notNull(),
    agentType: text('agent_type').notNull(),
    status: text('status').$type<AgentStatus>().notNull().default('active'),
    createdBy: uuid('created_by'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('agents_owner').on(t.tenantId, t.ownerId),
    index('agents_created').on(t.tenantId, t.createdAt),
    foreignKey({ name: 'agents_client', columns: [t.tenantId, t.id], foreignColumns: [clients.tenantId, clients.id] }).onDelete('cascade'),
  ],
)

/** The most that holders of a role may delegate to agents of a type. A policy limits; it grants nothing. */
export const delegationPolicies = schema.table(
  'delegation_policies',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    roleName: text('role_name').notNull(),
    agentType: text('agent_type').notNull(),
    /** `resource:action`, or the name of a scope without a permission. An empty list allows nothing. */
    allowedPermissions: text('allowed_permissions').array().notNull(),
    /** Resource servers to which it applies; all when empty. */
    audience: text('audience').array().notNull().default([]),
    maxTtlSeconds: integer('max_ttl_seconds').notNull().default(3600),
    enabled: boolean('enabled').notNull().default(true),
    /** Limits the policy to one agent. */
    clientId: uuid('client_id'),
    /** Whether tokens may omit the acting agent. */
    impersonation: boolean('impersonation').notNull().default(false),
    createdBy: uuid('created_by'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('delegation_policies_pair').on(t.tenantId, t.roleName, t.agentType),
    index('delegation_policies_client').on(t.tenantId, t.clientId),
    foreignKey({ name: 'delegation_policies_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
    foreignKey({
      name: 'delegation_policies_agent',
      columns: [t.tenantId, t.clientId],
      foreignColumns: [clients.tenantId, clients.id],
    }).onDelete('cascade'),
  ],
)
