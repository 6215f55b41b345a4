// Sessions of MCP clients that sign in through `mcp-auth`, and the tools of MCP servers.
import { foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { users } from './users.ts'

export type ToolRule = {
  readonly roles?: readonly string[] | undefined
  readonly groups?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
  readonly permissions?: readonly string[] | undefined
  readonly require_all?: boolean | undefined
}
export type Tool = {
  readonly name: string
  readonly description?: string | undefined
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined
  readonly rbac?: ToolRule | undefined
}

export const mcpSessions = schema.table(
  'mcp_sessions',
  {
    tenantId: tenantId(),
    /** SHA-256 of the session id, the only key to the session. */
    idHash: bytesColumn('id_hash').notNull(),
    clientId: uuid('client_id').notNull(),
    appName: text('app_name').notNull(),
    status: text('status').$type<'pending' | 'authenticated' | 'closed'>().notNull().default('pending'),
    /** SHA-256 of the state that the browser returns. */
    stateHash: bytesColumn('state_hash').notNull(),
    /** SHA-256 of the secret with which the initiator reads the signed-in person. */
    starterHash: bytesColumn('starter_hash').notNull(),
    returnUrl: text('return_url'),
    /** Permissions that the session carries, `resource:action` or `resource:*`. Null for a session of the person's own token, which carries all of them. */
    scopes: text('scopes').array(),
    /** Keyed digest of the code that the initiator displays and the person types before they allow the session. */
    userCodeHash: bytesColumn('user_code_hash'),
    codeAttempts: integer('code_attempts').notNull().default(0),
    /** The person who typed the code. Only an authorization of this person authenticates the session. */
    confirmedBy: uuid('confirmed_by'),
    userId: uuid('user_id'),
    /** Its origin: the authorization of the returned code, or the session of the presented token. */
    authorizationId: uuid('authorization_id'),
    sessionId: uuid('session_id'),
    authenticatedAt: timestampColumn('authenticated_at'),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.idHash] }),
    uniqueIndex('mcp_sessions_state').on(t.tenantId, t.stateHash),
    index('mcp_sessions_app').on(t.tenantId, t.clientId, t.appName),
    index('mcp_sessions_expires').on(t.expiresAt),
    foreignKey({ name: 'mcp_sessions_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
    foreignKey({ name: 'mcp_sessions_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** The tools of an MCP server, which only the server's own credential can change. */
export const mcpTools = schema.table(
  'mcp_tools',
  {
    tenantId: tenantId(),
    clientId: uuid('client_id').notNull(),
    appName: text('app_name').notNull(),
    tools: jsonb('tools').$type<readonly Tool[]>().notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.clientId, t.appName] }),
    foreignKey({ name: 'mcp_tools_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete('cascade'),
  ],
)
