// Tool authorization for MCP servers, at both prefixes that SDKs use.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CallTool, CleanedUp, CleanUp, ListTools, ProtectTool, ToolAnswer, ToolList, ToolPath, ToolVerdict } from './mcp.schema.ts'
import { callTool, cleanUp, listTools, protectTool } from './tools.ts'

type Prefix = '/sdkmgr/mcp-auth' | '/authsec/sdkmgr/mcp-auth'
const BY_SERVER = 'Rules and verdicts need the server\u2019s credential: HTTP Basic, or its SDK client id in the body.'

const toolRoutesAt = <N extends string, P extends Prefix>(name: N, prefix: P) => [
  route({
    id: `${name}.tools`,
    on: `POST ${prefix}/tools/list`,
    summary: 'List the tools of a server that the person may see; with the server\u2019s credential their rules are stored.',
    access: open(BY_SERVER, { class: 'general' }),
    body: ListTools,
    reply: json(200, ToolList),
    errors: ['mcp_client_unknown'],
    emits: ['mcp_tools.changed'],
    handle: ({ ctx, body }) => listTools(ctx, body),
  }),
  route({
    id: `${name}.call`,
    on: `POST ${prefix}/tools/call/:tool_name`,
    summary: 'Call one of the built-in sign-in tools.',
    access: open('Each tool requires its own proof.', { class: 'code' }),
    path: ToolPath,
    body: CallTool,
    reply: json(200, ToolAnswer),
    errors: ['mcp_tool_unknown', 'mcp_client_unknown', 'mcp_session_unknown', 'invalid_token'],
    emits: ['mcp_session.started', 'mcp_session.authenticated', 'mcp_session.closed'],
    handle: ({ ctx, path, body }) => callTool(ctx, path.tool_name, body),
  }),
  route({
    id: `${name}.protect`,
    on: `POST ${prefix}/protect-tool`,
    summary: 'Decide whether the person of a session may call a tool.',
    access: open(BY_SERVER, { class: 'decision' }),
    body: ProtectTool,
    reply: json(200, ToolVerdict),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, body }) => protectTool(ctx, body),
  }),
  route({
    id: `${name}.cleanUp`,
    on: `POST ${prefix}/cleanup-sessions`,
    summary: 'End all sessions of a server.',
    access: open(BY_SERVER, { class: 'general' }),
    body: CleanUp,
    reply: json(200, CleanedUp),
    errors: ['client_unauthenticated'],
    emits: ['mcp_session.closed'],
    handle: ({ ctx, body }) => cleanUp(ctx, body),
  }),
]

export const toolRoutes = [...toolRoutesAt('mcp', '/authsec/sdkmgr/mcp-auth'), ...toolRoutesAt('mcp.root', '/sdkmgr/mcp-auth')]
