// Validates a running resource server: whether its metadata matches the registration (RFC 9728), and whether it requires a token (RFC 6750 section 3).
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findResourceServer, type ResourceServer } from '#db/store/resource-servers'
import { AppError } from '#shared/kernel/errors'
import { FetchFailure, type OutboundResponse } from '#shared/platform/fetch/guarded'
import type { User } from '#shared/platform/principals/principal'
import type { Validation } from './admission.schema.ts'
import type { Ctx } from './group.ts'

type Checks = z.input<typeof Validation>['checks']

const requested = async (ctx: Ctx, url: string): Promise<OutboundResponse | undefined> => {
  try {
    return await ctx.outbound.send({ url, method: 'GET', headers: { accept: 'application/json' } })
  } catch (error) {
    if (error instanceof FetchFailure) return undefined
    throw error
  }
}

const objectIn = (answer: OutboundResponse | undefined): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = answer?.status === 200 ? JSON.parse(new TextDecoder().decode(answer.body)) : undefined
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

/** The well-known segment is between host and path (RFC 9728 section 3.1). */
const metadataUrl = ({ resource }: ResourceServer): string => {
  const { origin, pathname } = new URL(resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
}

/** Returns only whether the server's responses match, and none of their content. @throws AppError not_found */
export const validateServer = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof Validation>> => {
  const row = await findResourceServer(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  const document = objectIn(await requested(ctx, metadataUrl(row)))
  const answer = await requested(ctx, row.resource)
  const servers = document?.authorization_servers
  const isOurs = Array.isArray(servers) && servers.includes(ctx.config.BASE_URL)
  const isChallenged = answer?.status === 401 && /^bearer\b|,\s*bearer\b|^dpop\b/i.test(answer.header('www-authenticate') ?? '')
  const checks: Checks = [
    { name: 'metadata', ok: document !== undefined, detail: document === undefined ? `No metadata at ${metadataUrl(row)}.` : 'Found.' },
    { name: 'resource', ok: document?.resource === row.resource, detail: `"resource" must be ${row.resource}.` },
    { name: 'authorization_server', ok: isOurs, detail: `"authorization_servers" must contain ${ctx.config.BASE_URL}.` },
    { name: 'challenge', ok: isChallenged, detail: 'Without a token it must answer 401 with WWW-Authenticate: Bearer or DPoP.' },
  ]
  return { valid: checks.every(({ ok }) => ok), checks }
}
