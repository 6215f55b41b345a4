// Validates a running resource server: whether its metadata matches the registration (RFC 9728), and whether it requires a token (RFC 6750 section 3).
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { findResourceServer, type ResourceServer } from '#db/store/resource-servers'
import { lockResourceSetup, updateResourceSetup } from '#db/store/resource-tools'
import { AppError } from '#shared/kernel/errors'
import { FetchFailure, type OutboundResponse } from '#shared/platform/fetch/guarded'
import type { User } from '#shared/platform/principals/principal'
import type { Validation } from './admission.schema.ts'
import type { Ctx } from './group.ts'

type Check = z.input<typeof Validation>['checks'][number]

const LABELS: Readonly<Record<Check['name'], string>> = {
  metadata: 'Metadata (RFC 9728)',
  resource: 'Resource identifier',
  authorization_server: 'Authorization server',
  challenge: 'Token required',
}
/** The administration UI's names beside ours. */
const toCheck = ({ name, ok, detail }: Pick<Check, 'name' | 'ok' | 'detail'>): Check => ({
  name,
  ok,
  detail,
  key: name,
  label: LABELS[name],
  status: ok ? 'passed' : 'failed',
  message: detail,
})

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

/** Stores the result for lists. A validation changes no configuration, so it is not audited. */
const noteValidation = (tenant: TenantDb, id: string, status: 'passed' | 'failed', at: Date): Promise<void> =>
  atomically(tenant, async (t) => {
    if ((await findResourceServer(t, id)) === undefined) return
    await lockResourceSetup(t, id)
    await updateResourceSetup(t, id, { validatedAt: at, validationStatus: status }, false)
  })

/** Returns only whether the server's responses match, and none of their content. @throws AppError not_found */
export const validateServer = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof Validation>> => {
  const row = await findResourceServer(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  const document = objectIn(await requested(ctx, metadataUrl(row)))
  const answer = await requested(ctx, row.resource)
  const servers = document?.authorization_servers
  const isOurs = Array.isArray(servers) && servers.includes(ctx.config.BASE_URL)
  const isChallenged = answer?.status === 401 && /^bearer\b|,\s*bearer\b|^dpop\b/i.test(answer.header('www-authenticate') ?? '')
  const checks = [
    toCheck({ name: 'metadata', ok: document !== undefined, detail: document === undefined ? `No metadata at ${metadataUrl(row)}.` : 'Found.' }),
    toCheck({ name: 'resource', ok: document?.resource === row.resource, detail: `"resource" must be ${row.resource}.` }),
    toCheck({ name: 'authorization_server', ok: isOurs, detail: `"authorization_servers" must contain ${ctx.config.BASE_URL}.` }),
    toCheck({ name: 'challenge', ok: isChallenged, detail: 'Without a token it must answer 401 with WWW-Authenticate: Bearer or DPoP.' }),
  ]
  const valid = checks.every(({ ok }) => ok)
  const [status, at] = [valid ? ('passed' as const) : ('failed' as const), ctx.clock.now()]
  await noteValidation(forTenant(ctx.db, caller.tenantId), id, status, at)
  return { valid, status, last_validated_at: at.toISOString(), checks }
}
