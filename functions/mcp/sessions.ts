// A session of an MCP client: begun by anybody who knows the client, opened by the person who signs in, and by nobody else.
import type * as z from 'zod'
import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { NO_EVENTS } from '#db/store/audit-events'
import { findClient } from '#db/store/clients'
import {
  authenticateMcpSession,
  closeMcpSession,
  countAuthenticatedMcpSessions,
  findMcpState,
  insertMcpSession,
  lockPendingMcpSession,
  type McpSession,
} from '#db/store/mcp'
import { redeemCode } from '#db/store/oauth-authorizations'
import { findAuthorizationStateByCode } from '#db/store/oauth-families'
import { findApplication } from '#shared/domains/clients/application'
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
import { accessibleTools, findSession, userInfo } from './person.ts'

const PENDING_SECONDS = 600
const LASTS_SECONDS = 3600
const SCOPE = 'openid profile email'

const mainClient = (clientId: string): string => `${clientId}-main-client`
export const callbackUrl = ({ config }: Pick<Ctx, 'config'>): string => `${config.BASE_URL}${MCP_CALLBACK}`

/** RFC 7636: one verifier a state, made from it with a key of the deployment, and so kept nowhere. */
const verifierOf = (ctx: Pick<Ctx, 'hash'>, state: string): string => Buffer.from(ctx.hash('mcp-verifier', state)).toString('base64url')
/** So is the id of the session: the callback, which sees the state alone, can name it. */
const sessionIdOf = (ctx: Pick<Ctx, 'hash'>, tenantId: TenantId, state: string): string =>
  `${tenantId}.${Buffer.from(ctx.hash('mcp-session', state)).toString('base64url')}`

const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\]|localhost)$/
const isOnOwnDevice = (url: URL): boolean => url.protocol === 'http:' && LOOPBACK.test(url.hostname)

/** Where a browser may be sent afterwards: to an origin of the client, to the UI, or to the person's own device. @throws AppError invalid_request */
const provedReturnUrl = ({ config }: Ctx, redirectUris: readonly string[], text: string | undefined): URL | undefined => {
  if (text === undefined || text === '') return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  const own = [...redirectUris, config.BASE_URL, config.PUBLIC_UI_ORIGIN].flatMap((uri) =>
    uri !== undefined && URL.canParse(uri) ? [new URL(uri).origin] : [],
  )
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (url === undefined || !isHttp || !(isOnOwnDevice(url) || own.includes(url.origin))) {
    throw new AppError('invalid_request', 'return_url is at no address of this client.', { field: 'body.return_url' })
  }
  return url
}

/** @throws AppError mcp_client_unknown, invalid_request */
export const startSession = async (ctx: Ctx, request: z.output<typeof StartMcp>): Promise<z.input<typeof McpStarted>> => {
  const application = await findApplication(ctx, request.client_id).catch(() => undefined)
  if (application === undefined) throw new AppError('mcp_client_unknown')
  const { tenantId, clientId } = application
  const t = forTenant(ctx.db, tenantId)
  const client = await findClient(t, clientId)
  const returnUrl = provedReturnUrl(ctx, client?.redirectUris ?? [], request.return_url)
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
      'Sign in there, and allow the application.',
      'Ask for the status of the session until it is authenticated.',
    ],
  }
}

type Opening = Pick<McpSession, 'userId' | 'authorizationId' | 'sessionId'> & { readonly expiresAt: Date; readonly by: Actor }

const open = async (ctx: Ctx, t: TenantTx, row: McpSession, { by, ...as }: Opening): Promise<void> => {
  await authenticateMcpSession(t, row.idHash, { ...as, authenticatedAt: ctx.clock.now() })
  await recordEvent(t, ctx, {
    event: 'mcp_session.authenticated',
    actor: by,
    target: { type: 'client', id: row.clientId },
    after: { app_name: row.appName },
  })
}

const opened = async (ctx: Ctx, tenantId: TenantId, sessionId: string): Promise<z.input<typeof McpAuthenticated>> => {
  const state = await findMcpState(forTenant(ctx.db, tenantId), sha256(sessionId), ctx.clock.now())
  if (state?.person === undefined) throw new AppError('invalid_token')
  return {
    status: 'authenticated',
    session_id: sessionId,
    user_info: userInfo(tenantId, state.person),
    accessible_tools: await accessibleTools(ctx, tenantId, state),
  }
}

/** Some clients name the two the wrong way round. */
const inOrder = ({ jwt_token, session_id }: z.output<typeof AuthenticateMcp>): readonly [string, string] =>
  readHandle(jwt_token) !== undefined && readHandle(session_id) === undefined ? [session_id, jwt_token] : [jwt_token, session_id]

/**
 * Opens a session by a token of ours, of a person of the session's tenant.
 * @throws AppError mcp_session_unknown, invalid_token
 */
export const authenticateSession = async (ctx: Ctx, request: z.output<typeof AuthenticateMcp>): Promise<z.input<typeof McpAuthenticated>> => {
  const [token, sessionId] = inOrder(request)
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
    await open(ctx, t, row, { userId: user.userId, authorizationId: null, sessionId: user.sessionId, expiresAt, by: byUser(user) })
  })
  return opened(ctx, handle.tenantId, sessionId)
}

export type AuthenticatedCallback = { readonly row: McpSession; readonly tenantId: TenantId; readonly expiresAt: Date }

/**
 * Redeems the code that came back with the browser: the state names the session, its verifier is ours.
 * @throws AppError mcp_session_unknown, mcp_code_refused
 */
export const redeemMcpCode = async (
  ctx: Ctx,
  { code, state }: Pick<z.output<typeof CallbackMcp>, 'code' | 'state'>,
): Promise<AuthenticatedCallback> => {
  const [of, handle] = [readHandle(state), readHandle(code)]
  if (of === undefined) throw new AppError('mcp_session_unknown')
  if (handle === undefined || handle.tenantId !== of.tenantId) throw new AppError('mcp_code_refused')
  const now = ctx.clock.now()
  const t = forTenant(ctx.db, of.tenantId)
  const redeemInside = async (tx: TenantTx): Promise<AuthenticatedCallback> => {
    const row = await lockPendingMcpSession(tx, { stateHash: of.hash }, now)
    if (row === undefined) throw new AppError('mcp_session_unknown')
    const presented = { clientId: row.clientId, codeVerifier: verifierOf(ctx, state), redirectUri: callbackUrl(ctx), jkt: undefined }
    const snapshot = await findAuthorizationStateByCode(tx, handle.hash, now)
    if (snapshot === undefined || decideRedemption(snapshot, presented, now) !== 'redeemable') throw new AppError('mcp_code_refused')
    const expiresAt = secondsAfter(now, LASTS_SECONDS)
    const until = { offlineUntil: expiresAt, onlineUntil: expiresAt }
    const redeemed = await redeemCode(tx, { snapshot, jkt: undefined, now, familyHash: sha256(newFamily(ctx)), ...until }, NO_EVENTS)
    if (redeemed === undefined) throw new SnapshotChanged()
    const { id, userId, sessionId } = redeemed
    const by: Actor = { type: 'user', id: userId, sessionId, clientId: row.clientId }
    await open(ctx, tx, row, { userId, authorizationId: id, sessionId: null, expiresAt, by })
    return { row, tenantId: of.tenantId, expiresAt }
  }
  return onSnapshot(() => atomically(t, redeemInside))
}

/** @throws AppError mcp_session_unknown, mcp_code_refused, invalid_token */
export const handleMcpCallback = async (ctx: Ctx, request: z.output<typeof CallbackMcp>): Promise<z.input<typeof McpCalledBack>> => {
  const { row, tenantId, expiresAt } = await redeemMcpCode(ctx, request)
  return {
    ...(await opened(ctx, tenantId, sessionIdOf(ctx, tenantId, request.state))),
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

/** Who signed in is told to whoever began the session. */
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
