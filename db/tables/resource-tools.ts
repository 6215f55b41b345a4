// The tools of a resource server: what the server declares, and what an administrator activated of it.
import { boolean, foreignKey, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { resourceServers } from './oauth.ts'

/** A tool as the server describes it (Model Context Protocol, tools/list). */
export type ToolDefinition = {
  readonly title: string
  readonly description: string
  readonly inputSchema: Readonly<Record<string, unknown>> | null
  readonly annotations: Readonly<Record<string, unknown>> | null
}
export type ToolSource = 'sdk_manifest' | 'mcp_scan' | 'manual'

/** How far a resource server is set up; absent until its first manifest, scan or tool. */
export const resourceSetups = schema.table(
  'resource_setups',
  {
    tenantId: tenantId(),
    resourceServerId: uuid('resource_server_id').notNull(),
    /** Counts the changes of the tools. */
    generation: integer('generation').notNull().default(0),
    manifestAt: timestampColumn('manifest_at'),
    manifestTools: integer('manifest_tools').notNull().default(0),
    manifestVersion: text('manifest_version'),
    sdkBuildId: text('sdk_build_id'),
    scannedAt: timestampColumn('scanned_at'),
    scanStatus: text('scan_status').$type<'ok' | 'failed'>(),
    activatedAt: timestampColumn('activated_at'),
    activatedBy: uuid('activated_by'),
    validatedAt: timestampColumn('validated_at'),
    validationStatus: text('validation_status').$type<'passed' | 'failed'>(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.resourceServerId] }),
    foreignKey({
      name: 'resource_setups_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
  ],
)

export const resourceTools = schema.table(
  'resource_tools',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    resourceServerId: uuid('resource_server_id').notNull(),
    name: text('name').notNull(),
    source: text('source').$type<ToolSource>().notNull(),
    definition: jsonb('definition').$type<ToolDefinition>().notNull(),
    /** SHA-256 of the definition. */
    definitionHash: bytesColumn('definition_hash').notNull(),
    suggestedScopes: text('suggested_scopes').array().notNull().default([]),
    /** Whether the server still declares it. */
    present: boolean('present').notNull().default(true),
    /** Any one of these scopes is needed to call it; without any it may not be called. */
    scopes: text('scopes').array().notNull().default([]),
    /** Callable with any token for the server. */
    isPublic: boolean('is_public').notNull().default(false),
    /** What an administrator activated; null until then, and the tool may not be called. */
    activated: jsonb('activated').$type<ToolDefinition>(),
    activatedHash: bytesColumn('activated_hash'),
    /** The drift that an administrator dismissed. */
    dismissed: text('dismissed'),
    /** When its definition or its presence changed. */
    changedAt: timestampColumn('changed_at').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('resource_tools_name').on(t.tenantId, t.resourceServerId, t.name),
    foreignKey({
      name: 'resource_tools_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
  ],
)
