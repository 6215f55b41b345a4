// Asks a running MCP server for its tools (Model Context Protocol, Streamable HTTP transport). Only the guarded client connects to it.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findResourceServer } from '#db/store/resource-servers'
import { updateResourceSetup } from '#db/store/resource-tools'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { FetchFailure, type OutboundResponse } from '#shared/platform/fetch/guarded'
import { requireValidJson } from '#shared/platform/http/text-validation'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { type DeclaredTool, declareTools, isChange } from './manifest.ts'
import type { Rescanned } from './tools.schema.ts'
import { changeTools } from './tools.ts'

const PROTOCOL = '2025-06-18'
const MOST_PAGES = 10
const MOST_TOOLS = 500
const LARGEST_TOOL = 100_000
/** No call begins later than this, so that a slow server does not use up the time of the request: each call may take ten seconds. */
const SCAN_SECONDS = 15
type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The JSON-RPC messages in a response: a JSON body, or the data of an event stream. */
const messagesIn = (response: OutboundResponse): readonly unknown[] => {
  const body = new TextDecoder().decode(response.body)
  const isStream = (response.header('content-type') ?? '').startsWith('text/event-stream')
  const texts = isStream
    ? body.split(/\r?\n\r?\n/).map((event) =>
        event
          .split(/\r?\n/)
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trimStart())
          .join('\n'),
      )
    : [body]
  return texts.flatMap((text) => {
    try {
      return text === '' ? [] : [JSON.parse(text) as unknown]
    } catch {
      return []
    }
  })
}

const textOf = (value: unknown, most: number): string => (typeof value === 'string' ? value.slice(0, most).toWellFormed() : '')
const objectOf = (value: unknown): Json | null => (isObject(value) ? value : null)

/** Whether a tool that a server reports may be stored: it must be valid in a request body too, and not too large. */
const isStorable = (tool: unknown): boolean => {
  try {
    requireValidJson(tool)
    return JSON.stringify(tool).length <= LARGEST_TOOL
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

const toDeclared = (tool: unknown): DeclaredTool[] => {
  if (!isObject(tool) || !isStorable(tool)) return []
  const name = typeof tool.name === 'string' ? tool.name.trim() : ''
  if (name === '' || name.length > 200) return []
  const { title, description, inputSchema, annotations } = tool
  const definition = {
    title: textOf(title, 500),
    description: textOf(description, 20_000),
    inputSchema: objectOf(inputSchema),
    annotations: objectOf(annotations),
  }
  return [{ name, definition, suggestedScopes: [] }]
}

type Session = { readonly url: string; readonly token: string | undefined; readonly until: Date; id: string | undefined }

const rpc = async (ctx: Ctx, session: Session, message: Json): Promise<Json | undefined> => {
  if (ctx.clock.now() > session.until) return undefined
  const response = await ctx.outbound.send({
    url: session.url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': PROTOCOL,
      ...(session.id === undefined ? {} : { 'mcp-session-id': session.id }),
      ...(session.token === undefined ? {} : { authorization: `Bearer ${session.token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  })
  const id = response.header('mcp-session-id')
  if (id !== undefined && /^[\x21-\x7e]{1,500}$/.test(id)) session.id = id
  if (response.status >= 300) return undefined
  const answer = messagesIn(response).find((one) => isObject(one) && one.id === message.id && isObject(one.result))
  return isObject(answer) && isObject(answer.result) ? answer.result : undefined
}

/** Undefined when the server does not answer as the protocol says. */
const fetchTools = async (ctx: Ctx, session: Session): Promise<DeclaredTool[] | undefined> => {
  const clientInfo = { name: 'authsec', version: '1' }
  if ((await rpc(ctx, session, { id: 1, method: 'initialize', params: { protocolVersion: PROTOCOL, capabilities: {}, clientInfo } })) === undefined)
    return undefined
  await rpc(ctx, session, { method: 'notifications/initialized' })
  const tools = new Map<string, DeclaredTool>()
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES && tools.size < MOST_TOOLS; page++) {
    const result = await rpc(ctx, session, { id: page + 2, method: 'tools/list', params: cursor === undefined ? {} : { cursor } })
    if (result === undefined || !Array.isArray(result.tools)) return undefined
    for (const tool of result.tools.slice(0, MOST_TOOLS).flatMap(toDeclared)) tools.set(tool.name, tool)
    cursor = typeof result.nextCursor === 'string' && result.nextCursor.length <= 1000 ? result.nextCursor : undefined
    if (cursor === undefined) return [...tools.values()].slice(0, MOST_TOOLS)
  }
  return [...tools.values()].slice(0, MOST_TOOLS)
}

const scanned = async (ctx: Ctx, session: Session): Promise<DeclaredTool[] | undefined> => {
  try {
    return await fetchTools(ctx, session)
  } catch (error) {
    if (error instanceof FetchFailure) return undefined
    throw error
  }
}

const NOTHING = { added: [], changed: [], removed: [] }

/** A failed scan changes no tool, and its response contains nothing that the server sent. @throws AppError not_found */
export const rescan = async (ctx: Ctx, caller: User, id: string, token: string | undefined): Promise<z.input<typeof Rescanned>> => {
  const server = await findResourceServer(forTenant(ctx.db, caller.tenantId), id)
  if (server === undefined) throw new AppError('not_found')
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new AppError('invalid_request', 'body.mcp_token: must be printable ASCII characters without spaces', { field: 'body.mcp_token' })
  const tools = await scanned(ctx, { url: server.resource, token, until: secondsAfter(ctx.clock.now(), SCAN_SECONDS), id: undefined })
  return changeTools(ctx, caller, id, async (t) => {
    const changes = tools === undefined ? NOTHING : await declareTools(t, ctx, id, 'mcp_scan', tools)
    const status = tools === undefined ? ('failed' as const) : ('ok' as const)
    await updateResourceSetup(t, id, { scannedAt: ctx.clock.now(), scanStatus: status }, isChange(changes))
    const target = { type: 'resource_server', id }
    if (isChange(changes))
      await recordEvent(t, ctx, { event: 'resource_server.tools_declared', actor: byUser(caller), target, after: { ...changes } })
    return { status, last_scan_status: status, result: { tools: tools?.length ?? 0, ...changes } }
  })
}
