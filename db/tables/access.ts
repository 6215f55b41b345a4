// Roles, permissions, bindings, groups and service accounts.
import { sql } from 'drizzle-orm'
import { boolean, check, foreignKey, index, jsonb, primaryKey, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'
import { users } from './users.ts'

export const permissions = schema.table(
  'permissions',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    resource: text('resource').notNull(),
    action: text('action').notNull(),
    description: text('description').notNull().default(''),
    isSystem: boolean('is_system').notNull().default(false),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('permissions_pair').on(t.tenantId, t.resource, t.action),
    foreignKey({ name: 'permissions_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

export const roles = schema.table(
  'roles',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    /** Created with the tenant; cannot be changed or deleted. */
    isSystem: boolean('is_system').notNull().default(false),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('roles_name').on(t.tenantId, t.name),
    foreignKey({ name: 'roles_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

export const rolePermissions = schema.table(
  'role_permissions',
  { tenantId: tenantId(), roleId: uuid('role_id').notNull(), permissionId: uuid('permission_id').notNull() },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.roleId, t.permissionId] }),
    foreignKey({ name: 'role_permissions_role', columns: [t.tenantId, t.roleId], foreignColumns: [roles.tenantId, roles.id] }).onDelete('cascade'),
    foreignKey({
      name: 'role_permissions_permission',
      columns: [t.tenantId, t.permissionId],
      foreignColumns: [permissions.tenantId, permissions.id],
    }).onDelete('cascade'),
  ],
)

export const groups = schema.table(
  'groups',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('groups_name').on(t.tenantId, t.name),
    foreignKey({ name: 'groups_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

export const userGroups = schema.table(
  'user_groups',
  {
    tenantId: tenantId(),
    userId: uuid('user_id').notNull(),
    groupId: uuid('group_id').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.userId, t.groupId] }),
    index('user_groups_group').on(t.tenantId, t.groupId),
    foreignKey({ name: 'user_groups_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
    foreignKey({ name: 'user_groups_group', columns: [t.tenantId, t.groupId], foreignColumns: [groups.tenantId, groups.id] }).onDelete('cascade'),
  ],
)

export const serviceAccounts = schema.table(
  'service_accounts',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    active: boolean('active').notNull().default(true),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('service_accounts_name').on(t.tenantId, t.name),
    foreignKey({ name: 'service_accounts_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** A role bound to exactly one user, service account or group: for the whole tenant, or for one resource (`scope_type`, `scope_id`). */
export const roleBindings = schema.table(
  'role_bindings',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    roleId: uuid('role_id').notNull(),
    userId: uuid('user_id'),
    serviceAccountId: uuid('service_account_id'),
    groupId: uuid('group_id'),
    scopeType: text('scope_type'),
    scopeId: uuid('scope_id'),
    conditions: jsonb('conditions').$type<Readonly<Record<string, unknown>>>(),
    expiresAt: timestampColumn('expires_at'),
    createdBy: uuid('created_by'),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('role_bindings_once').on(t.tenantId, t.roleId, t.userId, t.serviceAccountId, t.groupId, t.scopeType, t.scopeId).nullsNotDistinct(),
    index('role_bindings_user').on(t.tenantId, t.userId),
    index('role_bindings_group').on(t.tenantId, t.groupId),
    index('role_bindings_service_account').on(t.tenantId, t.serviceAccountId),
    check('role_bindings_one_principal', sql`num_nonnulls(${t.userId}, ${t.serviceAccountId}, ${t.groupId}) = 1`),
    check('role_bindings_scope_pair', sql`(${t.scopeType} is null) = (${t.scopeId} is null)`),
    foreignKey({ name: 'role_bindings_role', columns: [t.tenantId, t.roleId], foreignColumns: [roles.tenantId, roles.id] }).onDelete('cascade'),
    foreignKey({ name: 'role_bindings_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
    foreignKey({
      name: 'role_bindings_service_account',
      columns: [t.tenantId, t.serviceAccountId],
      foreignColumns: [serviceAccounts.tenantId, serviceAccounts.id],
    }).onDelete('cascade'),
    foreignKey({ name: 'role_bindings_group', columns: [t.tenantId, t.groupId], foreignColumns: [groups.tenantId, groups.id] }).onDelete('cascade'),
  ],
)

/** A named set of permissions that clients request (`usage`: inside the tenant, for OAuth clients, or both). */
export const scopes = schema.table(
  'scopes',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    usage: text('usage').$type<'internal' | 'oauth' | 'both'>().notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('scopes_name').on(t.tenantId, t.name),
    foreignKey({ name: 'scopes_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

export const scopePermissions = schema.table(
  'scope_permissions',
  { tenantId: tenantId(), scopeId: uuid('scope_id').notNull(), permissionId: uuid('permission_id').notNull() },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.scopeId, t.permissionId] }),
    foreignKey({ name: 'scope_permissions_scope', columns: [t.tenantId, t.scopeId], foreignColumns: [scopes.tenantId, scopes.id] }).onDelete(
      'cascade',
    ),
    foreignKey({
      name: 'scope_permissions_permission',
      columns: [t.tenantId, t.permissionId],
      foreignColumns: [permissions.tenantId, permissions.id],
    }).onDelete('cascade'),
  ],
)
