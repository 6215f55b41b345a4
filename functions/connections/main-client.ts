// The tenant's main client, as the configuration manager sets it up: the client that came with the tenant. Where it sends people decides who can act as it, so
// changing that takes the whole administrator role.

import type { TenantTx } from '#db/engine/tenant'
import { type Client, findDefaultClient, lockClient, updateClient } from '#db/store/clients'
import { giveSecrets } from '#shared/domains/administration/client-rotation'
import type { Grants } from '#shared/domains/authority/change'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { requireRedirects } from '#shared/domains/clients/redirect-uri'
import { GRANT_TYPES } from '#shared/domains/oauth/offered'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

const DEFAULT_SCOPES = ['openid', 'profile', 'email', 'offline_access']
const OVERLAP_SECONDS = 24 * 3600

export type MainAsked = {
  readonly client_name?: string | undefined
  readonly redirect_uris?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
  readonly grant_types?: readonly string[] | undefined
}
type By = { readonly caller: User; readonly grants: Grants }

const told = (row: Client) => ({
  name: row.name,
  redirect_uris: row.redirectUris,
  scope: row.allowedScopes?.join(' ') ?? null,
  grant_types: row.grantTypes,
  oidc_enabled: row.oidcEnabled,
})

/** @throws AppError not_found */
export const lockMain = async (t: TenantTx): Promise<Client> => {
  const found = await findDefaultClient(t)
  const row = found === undefined ? undefined : await lockClient(t, found.id)
  if (row === undefined) throw new AppError('not_found')
  return row
}

/** `offline` is AuthSec's word for it. */
const scopesOf = (scopes: readonly string[]): string[] => [...new Set(scopes.map((scope) => (scope === 'offline' ? 'offline_access' : scope)))]

/** @throws AppError invalid_request for a grant that there is not */
const requireGrants = (field: string, types: readonly string[] | undefined): void => {
  const unknown = types?.find((type) => !(GRANT_TYPES as readonly string[]).includes(type))
  if (unknown !== undefined) throw new AppError('invalid_request', `${field}: is not offered here`, { field })
}

/** Of a row that the transaction holds. @throws AppError invalid_request, cannot_grant */
export const changeMain = async (
  t: TenantTx,
  ctx: Ctx,
  { caller, grants }: By,
  row: Client,
  asked: MainAsked & { readonly enabled: boolean },
  at: string,
): Promise<Client> => {
  requireRedirects(`${at}redirect_uris`, asked.redirect_uris)
  requireGrants(`body.${at}grant_types`, asked.grant_types)
  await requireRightsOverClient(t, ctx, grants, row)
  const changed = await updateClient(t, row.id, {
    ...(asked.client_name === undefined ? {} : { name: asked.client_name }),
    ...(asked.redirect_uris === undefined ? {} : { redirectUris: [...new Set(asked.redirect_uris)] }),
    ...(asked.scopes === undefined ? {} : { allowedScopes: scopesOf(asked.scopes) }),
    ...(asked.grant_types === undefined ? {} : { grantTypes: [...new Set(asked.grant_types)] }),
    oidcEnabled: asked.enabled,
    updatedAt: ctx.clock.now(),
  })
  if (changed === undefined) throw new AppError('not_found')
  const target = { type: 'client', id: row.id }
  await record(t, ctx, { event: 'client.registration_changed', actor: byUser(caller), target, before: told(row), after: told(changed) })
  return changed
}

export type Configured = { readonly client: Client; readonly secret: string }

/**
 * Sets it up, once, with a secret that is in this answer and nowhere else. A secret that a caller would have chosen is not one: only what nobody can guess is
 * kept as a plain digest.
 * @throws AppError client_configured, invalid_request, cannot_grant, public_client, rotation_in_progress
 */
export const configureMain = async (t: TenantTx, ctx: Ctx, by: By, asked: MainAsked, at: string): Promise<Configured> => {
  const row = await lockMain(t)
  if (row.oidcEnabled) throw new AppError('client_configured')
  const client = await changeMain(
    t,
    ctx,
    by,
    row,
    { ...asked, scopes: asked.scopes ?? DEFAULT_SCOPES, grant_types: asked.grant_types ?? ['authorization_code', 'refresh_token'], enabled: true },
    at,
  )
  const { secret_id } = await giveSecrets(t, ctx, by, row.id, OVERLAP_SECONDS)
  if (secret_id === undefined) throw new AppError('public_client')
  return { client, secret: secret_id }
}
