// Sign-in from an MCP client, at both prefixes that SDKs use.

import { may, open } from '#shared/platform/http/access'
import { html, json } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { route } from './group.ts'
import {
  AuthenticateMcp,
  CallbackMcp,
  CallbackMcpQuery,
  LogoutMcp,
  McpAuthenticated,
  McpCalledBack,
  McpHealth,
  McpLoggedOut,
  McpSessionPath,
  McpSessionsStatus,
  McpStarted,
  McpStatus,
  StartMcp,
} from './mcp.schema.ts'
import { authenticateSession, countSessions, endSession, handleMcpCallback, sessionStatus, startSession } from './sessions.ts'

type Prefix = '/sdkmgr/mcp-auth' | '/authsec/sdkmgr/mcp-auth'

const sessionRoutesAt = <N extends string, P extends Prefix>(name: N, prefix: P) => [
  route({
    id: `${name}.health`,
    on: `GET ${prefix}/health`,
    summary: 'Check that the service is up.',
    access: open('It discloses only that the service is up.', { class: 'general' }),
    reply: json(200, McpHealth),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx }) => ({ status: 'healthy', service: 'mcp-auth-service', timestamp: ctx.clock.now().toISOString() }) as const,
  }),
  route({
    id: `${name}.start`,
    on: `POST ${prefix}/start`,
    summary: 'Start a sign-in for an MCP client.',
    access: open('Servers on people\u2019s own devices may present no secret; a started session gives no access before the person types its code.', {
      class: 'polling',
    }),
    body: StartMcp,
    reply: json(200, McpStarted),
    errors: ['mcp_client_unknown'],
    emits: ['mcp_session.started'],
    handle: ({ ctx, body }) => startSession(ctx, body),
  }),
  route({
    id: `${name}.authenticate`,
    on: `POST ${prefix}/authenticate`,
    summary: 'Authenticate a session with a token of the person.',
    access: open('The token is the proof.', { class: 'code' }),
    body: AuthenticateMcp,
    reply: json(200, McpAuthenticated),
    errors: ['mcp_session_unknown', 'invalid_token'],
    emits: ['mcp_session.authenticated'],
    handle: ({ ctx, body }) => authenticateSession(ctx, body),
  }),
  route({
    id: `${name}.callback`,
    on: `POST ${prefix}/callback`,
    summary: 'Authenticate a session with the authorization code from the redirect.',
    access: open('Code and state are the proof.', { class: 'code' }),
    body: CallbackMcp,
    reply: json(200, McpCalledBack),
    errors: ['mcp_session_unknown', 'mcp_code_refused', 'invalid_token'],
    emits: ['mcp_session.authenticated'],
    handle: ({ ctx, body }) => handleMcpCallback(ctx, body),
  }),
  route({
    id: `${name}.callbackPage`,
    on: `GET ${prefix}/callback`,
    summary: 'The redirect URI of the sign-in; answers a page.',
    access: open('Code and state are the proof.', { class: 'code' }),
    query: CallbackMcpQuery,
    reply: html(200),
    errors: ['mcp_session_unknown', 'mcp_code_refused', 'invalid_token'],
    emits: ['mcp_session.authenticated'],
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await import('./callback.page.tsx')).mcpCallbackPage(ctx, query),
  }),
  route({
    id: `${name}.status`,
    on: `GET ${prefix}/status/:session_id`,
    summary: 'Read the status of a session.',
    access: open('The id is the proof; only the client that started the session learns who signed in.', { class: 'status' }),
    path: McpSessionPath,
    reply: json(200, McpStatus),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, path }) => sessionStatus(ctx, path.session_id),
  }),
  route({
    id: `${name}.sessions`,
    on: `GET ${prefix}/sessions/status`,
    summary: 'Count the authenticated sessions of the tenant.',
    access: may('admin:access'),
    reply: json(200, McpSessionsStatus),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => countSessions(ctx, principal),
  }),
  route({
    id: `${name}.logout`,
    on: `POST ${prefix}/logout`,
    summary: 'End a session.',
    access: open('The id is the proof.', { class: 'status' }),
    query: LogoutMcp,
    reply: json(200, McpLoggedOut),
    errors: [],
    emits: ['mcp_session.closed'],
    handle: ({ ctx, query }) => endSession(ctx, query.session_id),
  }),
]

export const mcpSessionRoutes = [...sessionRoutesAt('mcp', '/authsec/sdkmgr/mcp-auth'), ...sessionRoutesAt('mcp.root', '/sdkmgr/mcp-auth')]
