// The tools of an MCP server and the decision whether the person of a session may call one. Only the server's own credential changes the rules.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { closeMcpSessionsOf, findTools, putTools, type Tool } from '#db/store/mcp'
import { parseClientId } from '#shared/domains/clients/application'
import { authenticatedClient } from '#shared/domains/clients/authenticate'
import { AppError } from '#shared/kernel/errors'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import type { Ctx } from './group.ts'
import {
  type CallTool,
  type CleanedUp,
  type CleanUp,
  type ListTools,
  type ProtectTool,
  type ToolAnswer,
  type ToolList,
  type ToolVerdict,
  unquoted,
} from './mcp.schema.ts'
import { findSession, SIGN_IN_TOOLS, userInfo } from './person.ts'
import { authenticateSession, endSession, sessionStatus, startSession } from './sessions.ts'
import { isToolAllowed } from './tool-rules.ts'

type Listed = z.input<typeof ToolList>['tools'][number]

const object = (properties: Readonly<Record<string, unknown>>, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required: [...required] }),
})
const SESSION = { session_id: { type: 'string', description: 'The id of the session.' } }
const BUILT_IN: Readonly<Record<(typeof SIGN_IN_TOOLS)[number], Omit<Listed, 'name'>>> = {
  oauth_start: {
    description: 'Start to sign in. Returns a URL to open in a browser.',
    inputSchema: object({ open_browser: { type: 'boolean' }, return_url: { type: 'string' } }),
  },
  oauth_authenticate: {
    description: 'Finish the sign-in with a token.',
    inputSchema: object({ jwt_token: { type: 'string' }, ...SESSION, expires_in: { type: 'integer' } }, ['jwt_token', 'session_id']),
  },
  oauth_status: { description: 'Whether a person is signed in.', inputSchema: object(SESSION, ['session_id']) },
  oauth_logout: { description: 'Sign out.', inputSchema: object(SESSION, ['session_id']) },
  oauth_user_info: { description: 'The person who is signed in.', inputSchema: object(SESSION, ['session_id']) },
}

const toTool = (tool: string | Tool): Tool => (typeof tool === 'string' ? { name: tool } : tool)

/** Adds the session id to the tool's arguments, so that a call names its session. */
const toListedTool = ({ config }: Ctx, { name, description, inputSchema = {} }: Tool): Listed => {
  const { properties, required, ...more } = inputSchema as { properties?: Readonly<Record<string, unknown>>; required?: readonly unknown[] }
  const names = Array.isArray(required) ? required.filter((one) => one !== 'session_id') : []
  const needed = config.AUTHSEC_REQUIRE_SESSION_ID ? [...names, 'session_id'] : names
  return {
    name,
    description: description ?? `Protected tool: ${name}`,
    inputSchema: {
      type: 'object',
      ...more,
      properties: { ...properties, ...SESSION },
      ...(needed.length === 0 ? {} : { required: needed }),
    },
  }
}

/** Lists the tools that the person may see. Stores the tools and their rules when the server presents its credential. @throws AppError mcp_client_unknown */
export const listTools = async (ctx: Ctx, request: z.output<typeof ListTools>): Promise<z.input<typeof ToolList>> => {
  const { client_id: named, app_name: appName, session_id: sessionId } = request
  const clientId = parseClientId(named)
  if (clientId === undefined) throw new AppError('mcp_client_unknown')
  const tools = request.user_tools.map(toTool)
  const server = await authenticatedClient(ctx, named)
  if (server !== undefined) {
    await atomically(forTenant(ctx.db, server.tenantId), async (t) => {
      if (JSON.stringify(await findTools(t, clientId, appName)) === JSON.stringify(tools)) return
      await putTools(t, { clientId, appName, tools, updatedAt: ctx.clock.now() })
      const target = { type: 'client', id: clientId }
      await recordEvent(t, ctx, { event: 'mcp_tools.changed', actor: byClient(clientId), target, after: { app_name: appName, tools } })
    })
  }
  const found = await findSession(ctx, sessionId)
  const person = found?.state.clientId === clientId && found.state.appName === appName ? found.state.person : undefined
  const isVisible = ({ rbac }: Tool): boolean => {
    if (person === undefined) return ctx.config.AUTHSEC_ALWAYS_EXPOSE_PROTECTED_TOOLS
    return !ctx.config.AUTHSEC_HIDE_UNAUTHORIZED_TOOLS || isToolAllowed(rbac, person)
  }
  return { tools: [...SIGN_IN_TOOLS.map((name) => ({ name, ...BUILT_IN[name] })), ...tools.filter(isVisible).map((tool) => toListedTool(ctx, tool))] }
}

const denied = (message: string): z.input<typeof ToolVerdict> => ({ allowed: false, error: 'Access denied', message })

/** Denies by default: every check must pass. */
export const protectTool = async (ctx: Ctx, request: z.output<typeof ProtectTool>): Promise<z.input<typeof ToolVerdict>> => {
  const { tool_name: name, app_name: appName, session_id: sessionId } = request
  const server = await authenticatedClient(ctx, request.client_id)
  if (server === undefined) return denied('The server did not present its credential.')
  const found = await findSession(ctx, sessionId)
  const isOfServer = found?.tenantId === server.tenantId && found.state.clientId === server.clientId && found.state.appName === appName
  if (found === undefined || !isOfServer || found.state.person === undefined) return denied('This session has no signed-in person.')
  const { person } = found.state
  const tool = (await findTools(forTenant(ctx.db, server.tenantId), server.clientId, appName)).find((one) => one.name === name)
  if (tool === undefined || !isToolAllowed(tool.rbac, person)) return denied(`The person may not call ${name}.`)
  return { allowed: true, user_info: userInfo(server.tenantId, person), tool: name, session_id: sessionId ?? '' }
}

/** Ends all sessions of a server's application. @throws AppError client_unauthenticated */
export const cleanUp = async (ctx: Ctx, request: z.output<typeof CleanUp>): Promise<z.input<typeof CleanedUp>> => {
  const server = await authenticatedClient(ctx, request.client_id)
  if (server === undefined) throw new AppError('client_unauthenticated')
  const { clientId, tenantId } = server
  const closed = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const count = await closeMcpSessionsOf(t, clientId, request.app_name, ctx.clock.now())
    const after = { app_name: request.app_name, reason: request.reason, sessions: count }
    if (count > 0)
      await recordEvent(t, ctx, { event: 'mcp_session.closed', actor: byClient(clientId), target: { type: 'client', id: clientId }, after })
    return count
  })
  return { status: 'cleaned', client_id: clientId, app_name: request.app_name, reason: request.reason, sessions_cleaned: closed }
}

const text = (member: unknown): string => (typeof member === 'string' ? member : '')

type BuiltInCalls = Readonly<Record<string, (ctx: Ctx, request: z.output<typeof CallTool>) => Promise<unknown>>>
const forSignedInPerson = (answer: (info: ReturnType<typeof userInfo>) => unknown) => async (ctx: Ctx, request: z.output<typeof CallTool>) => {
  const found = await findSession(ctx, unquoted(text(request.arguments.session_id)))
  const isOfClient = found?.state.clientId === parseClientId(request.client_id) && found?.state.appName === request.app_name
  if (found?.state.person === undefined || !isOfClient) return { error: 'not_authenticated', message: 'This session has no signed-in person.' }
  return answer(userInfo(found.tenantId, found.state.person))
}

const CALLS: BuiltInCalls = {
  oauth_start: (ctx, { client_id, app_name, arguments: given }) =>
    startSession(ctx, { client_id, app_name, ...(text(given.return_url) === '' ? {} : { return_url: text(given.return_url) }) }),
  oauth_authenticate: (ctx, { arguments: given }) =>
    authenticateSession(ctx, {
      jwt_token: unquoted(text(given.jwt_token)),
      session_id: unquoted(text(given.session_id)),
      ...(Number.isInteger(given.expires_in) && Number(given.expires_in) > 0 ? { expires_in: Math.min(Number(given.expires_in), 86_400) } : {}),
    }),
  oauth_status: (ctx, { arguments: given }) => sessionStatus(ctx, unquoted(text(given.session_id))),
  oauth_logout: (ctx, { arguments: given }) => endSession(ctx, unquoted(text(given.session_id))),
  oauth_user_info: forSignedInPerson((info) => info),
  oauth_user_roles: forSignedInPerson(({ roles }) => ({ roles })),
  oauth_user_groups: forSignedInPerson(({ groups }) => ({ groups })),
  oauth_user_permissions: forSignedInPerson(({ permissions }) => ({ permissions })),
  oauth_user_resources: forSignedInPerson(({ resources }) => ({ resources })),
  oauth_user_scopes: forSignedInPerson(({ scopes }) => ({ scopes })),
}

/** Calls a built-in tool. @throws AppError mcp_tool_unknown, and the errors of the tool */
export const callTool = async (ctx: Ctx, name: string, request: z.output<typeof CallTool>): Promise<z.input<typeof ToolAnswer>> => {
  const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined
  if (call === undefined) throw new AppError('mcp_tool_unknown')
  return { content: [{ type: 'text', text: JSON.stringify(await call(ctx, request)) }] }
}
