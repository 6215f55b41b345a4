// Wire shapes of sdkmgr/mcp-auth.
import * as z from 'zod'

const text = (longest: number) => z.string().min(1).max(longest)
/** Any of the forms in which a client id is written. */
const ClientId = text(200)
const AppName = text(200)
/** AuthSec's SDKs pass on ids with the quotes of the JSON in which a model repeated them. */
export const unquoted = (given: string): string => given.trim().replace(/^(["'])(.*)\1$/, '$2')
const SessionId = text(120).overwrite(unquoted)
const Names = z.array(text(200)).max(100)

export const StartMcp = z.object({ client_id: ClientId, app_name: AppName, return_url: z.string().max(2000).optional() }).meta({ id: 'McpStart' })
export const McpStarted = z
  .object({
    status: z.literal('ready_for_authentication'),
    session_id: z.string(),
    session_secret: z.string().meta({ description: 'Sent as X-Session-Secret, it lets the client that started the session read who signed in.' }),
    authorization_url: z.string(),
    callback_url: z.string(),
    client_id_used: z.string(),
    oauth_client_id: z.string(),
    browser_opened: z.literal(false),
    app_name: z.string(),
    return_url: z.string().nullable(),
    redirect_mode: z.enum(['ui', 'inspector']),
    instructions: z.array(z.string()),
  })
  .meta({ id: 'McpStarted' })

export const UserInfo = z
  .object({
    user_id: z.string(),
    email: z.string(),
    name: z.string(),
    username: z.string().optional(),
    tenant_id: z.string(),
    roles: z.array(z.string()),
    groups: z.array(z.string()),
    permissions: z.array(z.string()),
    scopes: z.array(z.string()),
    resources: z.array(z.string()),
  })
  .meta({ id: 'McpUserInfo' })

export const AuthenticateMcp = z
  .object({
    jwt_token: text(8192).overwrite(unquoted),
    session_id: text(8192).overwrite(unquoted),
    expires_in: z.int().min(1).max(86_400).optional(),
  })
  .meta({ id: 'McpAuthenticate' })
export const McpAuthenticated = z
  .object({ status: z.literal('authenticated'), session_id: z.string(), user_info: UserInfo, accessible_tools: z.array(z.string()) })
  .meta({ id: 'McpAuthenticated' })

export const CallbackMcp = z
  .object({ code: text(200), state: text(200), session_id: SessionId.optional(), client_id: ClientId.optional() })
  .meta({ id: 'McpCallback' })
export const McpCalledBack = McpAuthenticated.extend({
  client_id: z.string(),
  oauth_client_id: z.string(),
  flow: z.literal('authorization_code_callback'),
  return_url: z.string().nullable(),
  oauth: z.object({ code_received: z.literal(true), token_expires_in: z.int(), refresh_token_present: z.literal(false) }),
}).meta({ id: 'McpCalledBack' })
export const CallbackMcpQuery = z.object({ code: text(200).optional(), state: text(200).optional(), error: z.string().max(200).optional() })

export const McpSessionPath = z.object({ session_id: SessionId })
export const McpStatus = z
  .object({
    status: z.enum(['not_found', 'pending', 'expired', 'authenticated']),
    session_id: z.string(),
    expires_at: z.iso.datetime().nullable(),
    user_info: UserInfo.nullable(),
  })
  .meta({ id: 'McpStatus' })
export const McpSessionsStatus = z.object({ active_authenticated_sessions: z.int() }).meta({ id: 'McpSessionsStatus' })
export const LogoutMcp = z.object({ session_id: SessionId }).meta({ id: 'McpLogoutQuery' })
export const McpLoggedOut = z.object({ status: z.literal('logged_out') }).meta({ id: 'McpLoggedOut' })

const InputSchema = z.record(z.string(), z.unknown())
const Rule = z.object({
  roles: Names.optional(),
  groups: Names.optional(),
  resources: Names.optional(),
  scopes: Names.optional(),
  permissions: Names.optional(),
  require_all: z.boolean().optional(),
})
const UserTool = z.union([
  text(200),
  z.object({ name: text(200), description: z.string().max(4000).optional(), inputSchema: InputSchema.optional(), rbac: Rule.optional() }),
])
export const ListTools = z
  .object({ client_id: ClientId, app_name: AppName, session_id: SessionId.optional(), user_tools: z.array(UserTool).max(200) })
  .meta({ id: 'McpListTools' })
export const ToolList = z
  .object({ tools: z.array(z.object({ name: z.string(), description: z.string(), inputSchema: InputSchema })) })
  .meta({ id: 'McpToolList' })

export const ToolPath = z.object({ tool_name: text(200) })
export const CallTool = z.object({ client_id: ClientId, app_name: AppName, arguments: z.record(z.string(), z.unknown()) }).meta({ id: 'McpCallTool' })
export const ToolAnswer = z.object({ content: z.array(z.object({ type: z.literal('text'), text: z.string() })) }).meta({ id: 'McpToolAnswer' })

export const ProtectTool = z
  .object({ session_id: SessionId.optional(), tool_name: text(200), client_id: ClientId, app_name: AppName })
  .meta({ id: 'McpProtectTool' })
export const ToolVerdict = z
  .object({
    allowed: z.boolean(),
    user_info: UserInfo.optional(),
    tool: z.string().optional(),
    session_id: z.string().optional(),
    error: z.string().optional(),
    message: z.string().optional(),
  })
  .meta({ id: 'McpToolVerdict' })

export const CleanUp = z
  .object({ client_id: ClientId, app_name: AppName, reason: z.string().max(200).default('server_shutdown') })
  .meta({ id: 'McpCleanUp' })
export const CleanedUp = z
  .object({ status: z.literal('cleaned'), client_id: z.string(), app_name: z.string(), reason: z.string(), sessions_cleaned: z.int() })
  .meta({ id: 'McpCleanedUp' })
export const McpHealth = z
  .object({ status: z.literal('healthy'), service: z.literal('mcp-auth-service'), timestamp: z.iso.datetime() })
  .meta({ id: 'McpHealth' })
