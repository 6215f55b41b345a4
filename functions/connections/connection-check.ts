// Tests a provider on request and records the result in the audit log.
import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import type { Provider } from '#db/store/providers'
import { probeProvider } from '#shared/domains/federation/engine/probe'
import { openProviderSecret } from '#shared/domains/federation/provider-secret'
import { upstreamOf } from '#shared/domains/federation/upstream'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export type ConnectionCheck = {
  readonly usable: boolean
  readonly errors: string[]
  readonly warnings: string[]
  readonly reason: string | null
  readonly tested_at: string
}

/** Configured endpoints that differ from the metadata of the provider. The metadata is used. */
const endpointDifferences = (row: Provider, reported: Readonly<Record<string, unknown>> | undefined): string[] => {
  const typed: readonly (readonly [string, string])[] = [
    ['authorization_endpoint', row.authorizationUrl],
    ['token_endpoint', row.tokenUrl],
    ['userinfo_endpoint', row.userinfoUrl],
    ['jwks_uri', row.jwksUrl],
  ]
  return reported === undefined ? [] : typed.flatMap(([name, url]) => (url === '' || reported[name] === url ? [] : [`${name}_differs`]))
}

const missingMembers = (row: Provider): string[] => [
  ...(row.clientId === '' ? ['client_id_missing'] : []),
  ...(row.scopes.trim() === '' ? ['scope_missing'] : []),
]

/** Also tests an inactive provider. Routes that call this emit `oidc_provider.tested`. */
export const checkConnection = async (ctx: Ctx, caller: User, row: Provider): Promise<ConnectionCheck> => {
  const upstream = upstreamOf({ ...row, isActive: true })
  const probed = upstream === undefined ? undefined : await probeProvider(ctx, { ...upstream.peer, secret: await openProviderSecret(ctx, row) })
  const errors = [...missingMembers(row), ...(upstream === undefined && row.clientId !== '' ? ['issuer_missing'] : []), ...(probed?.errors ?? [])]
  const warnings = [
    ...(row.isActive ? [] : ['inactive']),
    ...(row.sealedClientSecret === null ? ['client_secret_missing'] : []),
    ...(probed?.warnings ?? []),
    ...endpointDifferences(row, probed?.metadata),
  ]
  const outcome = { usable: errors.length === 0, errors, warnings, reason: probed?.reason ?? null }
  await atomically(forTenant(ctx.db, row.tenantId as TenantId), (t) =>
    recordEvent(t, ctx, { event: 'oidc_provider.tested', actor: byUser(caller), target: { type: 'oidc_provider', id: row.id }, after: outcome }),
  )
  return { ...outcome, tested_at: ctx.clock.now().toISOString() }
}
