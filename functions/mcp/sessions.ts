// Sessions of MCP clients. Only an MCP server's client starts one. It is authenticated by a person who signs in and types the code that the program which
// started it displays: the link alone, sent to another person, opens nothing (RFC 8628 section 5.4).
import type * as z from 'zod'
import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { NO_EVENTS } from '#db/store/audit-events'
import { findClient } from '#db/store/clients'
import {
  authenticateMcpSession,
  closeMcpSession,
  countAuthenticatedMcpSessions,
  findTools,
  insertMcpSession,
  lockPendingMcpSession,
  type McpSession,
} from '#db/store/mcp'
import { redeemCode } from '#db/store/oauth-authorizations'
import { findAuthorizationStateByCode } from '#db/store/oauth-families'
import { findApplication } from '#shared/domains/clients/application'
import { authenticatedClient } from '#shared/domains/clients/authenticate'
import { newUserCode } from '#shared/domains/device-authorization/user-code'
import { mcpUserCodeHash } from '#shared/domains/mcp-sessions/confirmation'
import { challengeOf, decideRedemption } from '#shared/domains/oauth/code-redemption'
import { newFamily, newHandle, readHandle } from '#shared/domains/oauth/handles'
import { ENDPOINTS, MCP_CALLBACK } from '#shared/domains/oauth/supported'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import { onSnapshot, SnapshotChanged } from '#shared/kernel/snapshot'
import { type Actor, byAnonymous, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { AuthenticateMcp, CallbackMcp, McpAuthenticated, McpCalledBack, McpStarted, McpStatus, StartMcp } from './mcp.schema.ts'
import { accessibleTools, findSession, readSession, userInfo } from './person.ts'
import { scopesOfTools } from './tool-rules.ts'

const PENDING_SECONDS = 600
const LASTS_SECONDS = 3600
const SCOPE = 'openid profile email'

const mainClient = (clientId: string): string => `${clientId}-main-client`
export const callbackUrl = ({ config }: Pick<Ctx, 'config'>): string => `${config.BASE_URL}${MCP_CALLBACK}`

/** The PKCE verifier (RFC 7636) is derived from the state with a key of the deployment, so it is not stored. */
const verifierOf = (ctx: Pick<Ctx, 'hash'>, state: string): string => Buffer.from(ctx.hash('mcp-verifier', state)).toString('base64url')
/** The session id is derived from the state too, because the callback receives only the state. */
const sessionIdOf = (ctx: Pick<Ctx, 'hash'>, tenantId: TenantId, state: string): string =>
  `${tenantId}.${Buffer.from(ctx.hash('mcp-session', state)).toString('base64url')}`

const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\]|localhost)$/
const isOnOwnDevice = (url: URL): boolean => url.protocol === 'http:' && LOOPBACK.test(url.hostname)

/** A browser may return to an origin of the client, to this deployment, to its UI, or to the person's own device. @throws AppError invalid_request */
const checkReturnUrl = ({ config }: Ctx, redirectUris: readonly string[], text: string | undefined): URL | undefined => {
  if (text === undefined || text === '') return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  const own = [...redirectUris, config.BASE_URL, config.PUBLIC_UI_ORIGIN].flatMap((uri) =>
    uri !== undefined && URL.canParse(uri) ? [new URL(uri).origin] : [],
  )
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (url === undefined || !isHttp || !(isOnOwnDevice(url) || own.includes(url.origin))) {
    throw new AppError('invalid_request', 'return_url is not at an origin of this client.', { field: 'body.return_url' })
  }
  return url
}

/**
 * The client of an MCP server, as an administrator registered it: one that presents its credential, or that has stored the tools of this application with it.
 * @throws AppError mcp_client_unknown
 */
const requireServer = async (ctx: Ctx, { client_id: named, app_name: appName }: z.output<typeof StartMcp>) => {
  const application = await findApplication(ctx, named).catch(() => undefined)
  if (application === undefined) throw new AppError('mcp_client_unknown')
  const { tenantId, clientId } = application
  const t = forTenant(ctx.db, tenantId)
  const [client, tools] = [await findClient(t, clientId), await findTools(t, clientId, appName)]
  const isServer = tools.length > 0 || (await authenticatedClient(ctx, named)) !== undefined
  if (client?.registeredBy !== 'administrator' || !isServer) throw new AppError('mcp_client_unknown')
  return { tenantId, clientId, redirectUris: client.redirectUris, tools }
}

/** Starts a session and answers the authorization URL for the browser. @throws AppError mcp_client_unknown, invalid_request */
export const startSession = async (ctx: Ctx, request: z.output<typeof StartMcp>): Promise<z.input<typeof McpStarted>> => {
  const { tenantId, clientId, redirectUris, tools } = await requireServer(ctx, request)
  const t = forTenant(ctx.db, tenantId)
  const returnUrl = checkReturnUrl(ctx, redirectUris, request.return_url)
  const userCode = newUserCode(ctx.random)
  const [state, secret, now] = [newHandle(ctx, tenantId), randomToken(ctx.random), ctx.clock.now()]
  const sessionId = sessionIdOf(ctx, tenantId, state.text)
  await atomically(t, async (tx) => {
    await insertMcpSession(tx, {
      idHash: sha256(sessionId),
      clientId,
      appName: request.app_name,
      stateHash: state.hash,
      starterHash: sha256(secret),
      returnUrl: returnUrl?.href ?? null,
      scopes: scopesOfTools(tools),
      userCodeHash: mcpUserCodeHash(ctx, state.hash, userCode),
      createdAt: now,
      expiresAt: secondsAfter(now, PENDING_SECONDS),
    })
    await recordEvent(tx, ctx, { event: 'mcp_session.started', actor: byAnonymous, target: { type: 'client', id: clientId } })
  })
  const parameters = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: callbackUrl(ctx),
    scope: SCOPE,
    state: state.text,
    code_challenge: challengeOf(verifierOf(ctx, state.text)),
    code_challenge_method: 'S256',
  }
  return {
    status: 'ready_for_authentication',
    session_id: sessionId,
    session_secret: secret,
    authorization_url: `${ctx.config.BASE_URL}${ENDPOINTS.authorization}?${new URLSearchParams(parameters)}`,
    callback_url: callbackUrl(ctx),
    client_id_used: clientId,
    oauth_client_id: mainClient(clientId),
    browser_opened: false,
    app_name: request.app_name,
    return_url: returnUrl?.href ?? null,
    redirect_mode: returnUrl !== undefined && isOnOwnDevice(returnUrl) ? 'inspector' : 'ui',
    instructions: [
      'Open authorization_url in a browser.',
      `Sign in there, enter the code ${userCode}, and allow the application.`,
      'Show the code only to the person who started this sign-in.',
      'Poll the status of the session until it is authenticated.',
    ],
  }
}

type Authentication = Pick<McpSession, 'userId' | 'authorizationId' | 'sessionId' | 'scopes'> & { readonly expiresAt: Date; readonly by: Actor }

const markAuthenticated = async (ctx: Ctx, t: TenantTx, row: McpSession, { by, ...authentication }: Authentication): Promise<void> => {
  await authenticateMcpSession(t, row.idHash, { ...authentication, authenticatedAt: ctx.clock.now() })
  await recordEvent(t, ctx, {
    event: 'mcp_session.authenticated',
    actor: by,
    target: { type: 'client', id: row.clientId },
    after: { app_name: row.appName },
  })
}

const toAuthenticatedResponse = async (ctx: Ctx, tenantId: TenantId, sessionId: string): Promise<z.input<typeof McpAuthenticated>> => {
  const state = await readSession(ctx, tenantId, sha256(sessionId))
  if (state?.person === undefined) throw new AppError('invalid_token')
  return {
    status: 'authenticated',
    session_id: sessionId,
    user_info: userInfo(tenantId, state.person),
    accessible_tools: await accessibleTools(ctx, tenantId, state),
  }
}

/** Some SDK versions send the token and the session id in each other's member. */
const tokenAndSessionId = ({ jwt_token, session_id }: z.output<typeof AuthenticateMcp>): readonly [string, string] =>
  readHandle(jwt_token) !== undefined && readHandle(session_id) === undefined ? [session_id, jwt_token] : [jwt_token, session_id]

/**
 * Authenticates a session with an access token that this deployment issued to a person of the session's tenant.
 * @throws AppError mcp_session_unknown, invalid_token
 */
export const authenticateSession = async (ctx: Ctx, request: z.output<typeof AuthenticateMcp>): Promise<z.input<typeof McpAuthenticated>> => {
  const [token, sessionId] = tokenAndSessionId(request)
  const handle = readHandle(sessionId)
  if (handle === undefined) throw new AppError('mcp_session_unknown')
  const now = ctx.clock.now()
  const user = await ctx.principals.resolve(token)
  if (user.tenantId !== handle.tenantId || user.passwordChangeRequired) throw new AppError('invalid_token')
  await atomically(forTenant(ctx.db, handle.tenantId), async (t) => {
    const row = await lockPendingMcpSession(t, { idHash: handle.hash }, now)
    if (row === undefined) throw new AppError('mcp_session_unknown')
    const lasts = secondsAfter(now, request.expires_in ?? LASTS_SECONDS)
    const expiresAt = new Date(Math.min(lasts.getTime(), user.tokenExpiresAt.getTime()))
    // The token that was presented is the person's own, with all of their permissions.
    const origin = { userId: user.userId, authorizationId: null, sessionId: user.sessionId, scopes: null }
    await markAuthenticated(ctx, t, row, { ...origin, expiresAt, by: byUser(user) })
  })
  return toAuthenticatedResponse(ctx, handle.tenantId, sessionId)
}

export type AuthenticatedCallback = { readonly row: McpSession; readonly tenantId: TenantId; readonly expiresAt: Date }

/**
 * Redeems the authorization code from the redirect. The state identifies the session; the PKCE verifier is derived from it.
 * @throws AppError mcp_session_unknown, mcp_code_refused
 */
export const redeemMcpCode = async (
  ctx: Ctx,
  { code, state }: Pick<z.output<typeof CallbackMcp>, 'code' | 'state'>,
): Promise<AuthenticatedCallback> => {
  const [stateHandle, codeHandle] = [readHandle(state), readHandle(code)]
  if (stateHandle === undefined) throw new AppError('mcp_session_unknown')
  if (codeHandle === undefined || codeHandle.tenantId !== stateHandle.tenantId) throw new AppError('mcp_code_refused')
  const now = ctx.clock.now()
  const t = forTenant(ctx.db, stateHandle.tenantId)
  const redeemInside = async (tx: TenantTx): Promise<AuthenticatedCallback> => {
    const row = await lockPendingMcpSession(tx, { stateHash: stateHandle.hash }, now)
    if (row === undefined) throw new AppError('mcp_session_unknown')
    const presented = { clientId: row.clientId, codeVerifier: verifierOf(ctx, state), redirectUri: callbackUrl(ctx), jkt: undefined }
    const snapshot = await findAuthorizationStateByCode(tx, codeHandle.hash, now)
    if (snapshot === undefined || decideRedemption(snapshot, presented, now) !== 'redeemable') throw new AppError('mcp_code_refused')
    const expiresAt = secondsAfter(now, LASTS_SECONDS)
    const until = { offlineUntil: expiresAt, onlineUntil: expiresAt }
    const redeemed = await redeemCode(tx, { snapshot, jkt: undefined, now, familyHash: sha256(newFamily(ctx)), ...until }, NO_EVENTS)
    if (redeemed === undefined) throw new SnapshotChanged()
    const { id, userId, sessionId } = redeemed
    // The code that the program displays was typed by this person.
    if (row.confirmedBy !== userId) throw new AppError('mcp_code_refused')
    const by: Actor = { type: 'user', id: userId, sessionId, clientId: row.clientId }
    await markAuthenticated(ctx, tx, row, { userId, authorizationId: id, sessionId: null, scopes: row.scopes ?? [], expiresAt, by })
    return { row, tenantId: stateHandle.tenantId, expiresAt }
  }
  return onSnapshot(() => atomically(t, redeemInside))
}

/** Authenticates the session that the state identifies. @throws AppError mcp_session_unknown, mcp_code_refused, invalid_token */
export const handleMcpCallback = async (ctx: Ctx, request: z.output<typeof CallbackMcp>): Promise<z.input<typeof McpCalledBack>> => {
  const { row, tenantId, expiresAt } = await redeemMcpCode(ctx, request)
  return {
    ...(await toAuthenticatedResponse(ctx, tenantId, sessionIdOf(ctx, tenantId, request.state))),
    client_id: row.clientId,
    oauth_client_id: mainClient(row.clientId),
    flow: 'authorization_code_callback',
    return_url: row.returnUrl,
    oauth: {
      code_received: true,
      token_expires_in: Math.floor((expiresAt.getTime() - ctx.clock.now().getTime()) / 1000),
      refresh_token_present: false,
    },
  }
}

/** Discloses the person only with the secret of the client that started the session. */
export const sessionStatus = async (ctx: Ctx, sessionId: string): Promise<z.input<typeof McpStatus>> => {
  const found = await findSession(ctx, sessionId)
  if (found === undefined) return { status: 'not_found', session_id: '', expires_at: null, user_info: null }
  const { state, tenantId } = found
  const expires_at = state.expiresAt.toISOString()
  const isPending = state.status === 'pending' && state.expiresAt > ctx.clock.now()
  if (state.person === undefined) return { status: isPending ? 'pending' : 'expired', session_id: sessionId, expires_at, user_info: null }
  const secret = ctx.request.header('x-session-secret')
  const isStarter = secret !== undefined && constantTimeEqual(sha256(secret), state.starterHash)
  return { status: 'authenticated', session_id: sessionId, expires_at, user_info: isStarter ? userInfo(tenantId, state.person) : null }
}

export const endSession = async (ctx: Ctx, sessionId: string): Promise<{ readonly status: 'logged_out' }> => {
  const found = await findSession(ctx, sessionId)
  if (found !== undefined) {
    await atomically(forTenant(ctx.db, found.tenantId), async (t) => {
      if (!(await closeMcpSession(t, found.idHash))) return
      const { person, clientId } = found.state
      const actor: Actor = person === undefined ? byAnonymous : { type: 'user', id: person.id, clientId }
      await recordEvent(t, ctx, { event: 'mcp_session.closed', actor, target: { type: 'client', id: clientId } })
    })
  }
  return { status: 'logged_out' }
}

export const countSessions = async (ctx: Ctx, { tenantId }: User): Promise<{ readonly active_authenticated_sessions: number }> => ({
  active_authenticated_sessions: await countAuthenticatedMcpSessions(forTenant(ctx.db, tenantId), ctx.clock.now()),
})
