// A provider is tried now, and that it was is in the record.

import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import type { Provider } from '#db/store/providers'
import { probe } from '#shared/domains/federation/engine/probe'
import { openProviderSecret } from '#shared/domains/federation/provider-secret'
import { ofRow } from '#shared/domains/federation/upstream'
import { byUser, record } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export type Examined = {
  readonly usable: boolean
  readonly errors: string[]
  readonly warnings: string[]
  readonly reason: string | null
  readonly tested_at: string
}

/** Where the addresses that were typed are not those that the provider names: the provider's count. */
const differing = (row: Provider, said: Readonly<Record<string, unknown>> | undefined): string[] => {
  const typed: readonly (readonly [string, string])[] = [
    ['authorization_endpoint', row.authorizationUrl],
    ['token_endpoint', row.tokenUrl],
    ['userinfo_endpoint', row.userinfoUrl],
    ['jwks_uri', row.jwksUrl],
  ]
  return said === undefined ? [] : typed.flatMap(([name, url]) => (url === '' || said[name] === url ? [] : [`${name}_differs`]))
}

const lacking = (row: Provider): string[] => [
  ...(row.clientId === '' ? ['client_id_missing'] : []),
  ...(row.scopes.trim() === '' ? ['scope_missing'] : []),
]

/** Switched off it is tried all the same. Routes that call this emit `oidc_provider.tested`. */
export const examine = async (ctx: Ctx, caller: User, row: Provider): Promise<Examined> => {
  const upstream = ofRow({ ...row, isActive: true })
  const probed = upstream === undefined ? undefined : await probe(ctx, { ...upstream.peer, secret: await openProviderSecret(ctx, row) })
  const errors = [...lacking(row), ...(upstream === undefined && row.clientId !== '' ? ['issuer_missing'] : []), ...(probed?.errors ?? [])]
  const warnings = [
    ...(row.isActive ? [] : ['inactive']),
    ...(row.sealedClientSecret === null ? ['client_secret_missing'] : []),
    ...(probed?.warnings ?? []),
    ...differing(row, probed?.metadata),
  ]
  const outcome = { usable: errors.length === 0, errors, warnings, reason: probed?.reason ?? null }
  await atomically(forTenant(ctx.db, row.tenantId as TenantId), (t) =>
    record(t, ctx, { event: 'oidc_provider.tested', actor: byUser(caller), target: { type: 'oidc_provider', id: row.id }, after: outcome }),
  )
  return { ...outcome, tested_at: ctx.clock.now().toISOString() }
}
