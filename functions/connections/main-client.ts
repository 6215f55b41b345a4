// The tenant's main client in the configuration manager: the default client of the tenant. Its redirect URIs decide who can act as it, so a change needs the
// full administrator role.

import type { TenantTx } from '#db/engine/tenant'
import { type Client, findDefaultClient, lockClient } from '#db/store/clients'
import { issueSecrets } from '#shared/domains/administration/client-rotation'
import type { GrantorPermissions } from '#shared/domains/authority/access-change'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { changeClientIdentity } from '#shared/domains/clients/change-identity'
import { requireRedirects } from '#shared/domains/clients/redirect-uri'
import { GRANT_TYPES } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

const DEFAULT_SCOPES = ['openid', 'profile', 'email', 'offline_access']
const OVERLAP_SECONDS = 24 * 3600

export type MainClientRequest = {
  readonly client_name?: string | undefined
  readonly redirect_uris?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
  readonly grant_types?: readonly string[] | undefined
}
type By = { readonly caller: User; readonly grantable: GrantorPermissions }

const auditDetails = (row: Client) => ({
  name: row.name,
  redirect_uris: row.redirectUris,
  scope: row.allowedScopes?.join(' ') ?? null,
  grant_types: row.grantTypes,
  oidc_enabled: row.oidcEnabled,
})

/** @throws AppError not_found */
export const lockMainClient = async (t: TenantTx): Promise<Client> => {
  const found = await findDefaultClient(t)
  const row = found === undefined ? undefined : await lockClient(t, found.id)
  if (row === undefined) throw new AppError('not_found')
  return row
}

/** AuthSec calls offline_access `offline`. */
const scopesOf = (scopes: readonly string[]): string[] => [...new Set(scopes.map((scope) => (scope === 'offline' ? 'offline_access' : scope)))]

/** @throws AppError invalid_request for an unknown grant type */
const requireGrants = (field: string, types: readonly string[] | undefined): void => {
  const unknown = types?.find((type) => !(GRANT_TYPES as readonly string[]).includes(type))
  if (unknown !== undefined) throw new AppError('invalid_request', `${field}: has an unsupported grant type`, { field })
}

/** Changes a client that the transaction has locked. Call `ctx.wakeOutbox()` after the commit. @throws AppError invalid_request, cannot_grant */
export const changeMainClient = async (
  t: TenantTx,
  ctx: Ctx,
  { caller, grantable }: By,
  row: Client,
  request: MainClientRequest & { readonly enabled: boolean },
  at: string,
): Promise<Client> => {
  requireRedirects(`${at}redirect_uris`, request.redirect_uris)
  requireGrants(`body.${at}grant_types`, request.grant_types)
  await requireRightsOverClient(t, ctx, grantable, row)
  const by = { actor: byUser(caller), name: caller.email, userId: caller.userId }
  const changed = await changeClientIdentity(t, ctx, by, row, {
    ...(request.client_name === undefined ? {} : { name: request.client_name }),
    ...(request.redirect_uris === undefined ? {} : { redirectUris: [...new Set(request.redirect_uris)] }),
    ...(request.scopes === undefined ? {} : { allowedScopes: scopesOf(request.scopes) }),
    ...(request.grant_types === undefined ? {} : { grantTypes: [...new Set(request.grant_types)] }),
    oidcEnabled: request.enabled,
    updatedAt: ctx.clock.now(),
  })
  if (changed === undefined) throw new AppError('not_found')
  const target = { type: 'client', id: row.id }
  await recordEvent(t, ctx, {
    event: 'client.registration_changed',
    actor: by.actor,
    target,
    before: auditDetails(row),
    after: auditDetails(changed),
  })
  return changed
}

export type ConfiguredMainClient = { readonly client: Client; readonly secret: string }

/**
 * Configures the main client once, with a generated secret that is returned only here. Secrets chosen by callers are not accepted, because secrets are stored as
 * plain digests, which protect only random values.
 * @throws AppError client_configured, invalid_request, cannot_grant, public_client, rotation_in_progress
 */
export const configureMainClient = async (t: TenantTx, ctx: Ctx, by: By, request: MainClientRequest, at: string): Promise<ConfiguredMainClient> => {
  const row = await lockMainClient(t)
  if (row.oidcEnabled) throw new AppError('client_configured')
  const client = await changeMainClient(
    t,
    ctx,
    by,
    row,
    {
      ...request,
      scopes: request.scopes ?? DEFAULT_SCOPES,
      grant_types: request.grant_types ?? ['authorization_code', 'refresh_token'],
      enabled: true,
    },
    at,
  )
  const { secret_id } = await issueSecrets(t, ctx, by, row.id, OVERLAP_SECONDS)
  if (secret_id === undefined) throw new AppError('public_client')
  return { client, secret: secret_id }
}
