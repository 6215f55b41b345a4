// Sign-in challenges on a tenant's own front end: their content, and their completion by a session.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { type Client, findClient } from '#db/store/clients'
import { findTenant, type Tenant } from '#db/store/tenants'
import { callbackUrl } from '#shared/domains/federation/callback-url'
import { offeredSamlProviders } from '#shared/domains/federation/saml-providers'
import { listUpstreamsAt } from '#shared/domains/federation/upstream'
import { frontEndOf } from '#shared/domains/oauth/front-end'
import { acceptLogin, findLoginChallenge, type LoginChallenge } from '#shared/domains/oauth/login-challenge'
import { ENDPOINTS, REQUEST_URI } from '#shared/domains/oauth/supported'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { ChallengeClient, LoginCompleted, LoginPageData } from './login.schema.ts'

type PendingLogin = { readonly challenge: LoginChallenge; readonly client: Client; readonly tenant: Tenant }

/** @throws AppError login_challenge_invalid, not_found when the client or its tenant is inactive */
const requirePendingLogin = async (ctx: Ctx, text: string): Promise<PendingLogin> => {
  const challenge = await findLoginChallenge(ctx, text)
  if (challenge === undefined) throw new AppError('login_challenge_invalid')
  const t = forTenant(ctx.db, challenge.tenantId)
  const [client, tenant] = [await findClient(t, challenge.clientId), await findTenant(t)]
  if (client?.active !== true || tenant?.status !== 'active') throw new AppError('not_found', 'Client not found')
  return { challenge, client, tenant }
}

/** @throws AppError login_challenge_invalid, origin_not_verified */
export const redirectToLogin = async (ctx: Ctx, text: string): Promise<HttpResult<undefined>> => {
  const { challenge, client } = await requirePendingLogin(ctx, text).catch((error: unknown) => {
    throw error instanceof AppError && error.code === 'not_found' ? new AppError('login_challenge_invalid') : error
  })
  const frontEnd = await frontEndOf(ctx, challenge.tenantId, client)
  if (frontEnd.kind === 'lost') throw new AppError('origin_not_verified')
  const query = new URLSearchParams({ client_id: client.metadataUrl ?? client.id, request_uri: `${REQUEST_URI}${challenge.text}` })
  const hosted = withSignInContext('/signin', { client_id: client.id, return_to: `${ENDPOINTS.authorization}?${query}` })
  const Location = frontEnd.kind === 'at' ? `${frontEnd.base}/oidc/login?${new URLSearchParams({ login_challenge: challenge.text })}` : hosted
  return new HttpResult(undefined, { headers: { Location } })
}

/** @throws AppError login_challenge_invalid, not_found */
export const showClient = async (ctx: Ctx, text: string): Promise<z.input<typeof ChallengeClient>> => {
  const { client } = await requirePendingLogin(ctx, text)
  return { client_id: client.id, client: { client_id: client.id, client_name: client.name, redirect_uris: client.redirectUris } }
}

/** The providers in the tenant's order, without secrets. */
const providersOf = async (ctx: Ctx, { tenantId, clientId }: LoginChallenge): Promise<z.input<typeof LoginPageData>['providers']> => {
  const oidc = (await listUpstreamsAt(ctx, tenantId, clientId)).map(({ name, displayName, sortOrder }) => ({
    provider_name: name,
    display_name: displayName,
    is_active: true,
    sort_order: sortOrder,
    callback_url: callbackUrl(ctx.config.BASE_URL),
    config: { type: 'oidc' as const },
  }))
  const saml = (await offeredSamlProviders(ctx, tenantId, clientId)).map((row) => ({
    provider_name: row.providerName,
    display_name: row.displayName,
    is_active: true,
    sort_order: row.sortOrder,
    callback_url: `${ctx.config.BASE_URL}/authsec/hmgr/saml/acs/${tenantId}/${row.clientId}`,
    config: {
      type: 'saml' as const,
      entity_id: row.entityId,
      sso_url: row.ssoUrl,
      ...(row.sloUrl === null ? {} : { slo_url: row.sloUrl }),
      name_id_format: row.nameIdFormat,
    },
  }))
  return [...oidc, ...saml].toSorted((a, b) => a.sort_order - b.sort_order || a.provider_name.localeCompare(b.provider_name, 'en'))
}

const SIGN_IN_PARAMETERS = ['prompt', 'max_age', 'acr_values', 'login_hint', 'ui_locales'] as const

/** @throws AppError login_challenge_invalid, not_found */
export const showLogin = async (ctx: Ctx, text: string): Promise<z.input<typeof LoginPageData>> => {
  const { challenge, client, tenant } = await requirePendingLogin(ctx, text)
  return {
    success: true,
    login_challenge: challenge.text,
    client_id: client.id,
    tenant_name: tenant.name,
    client_name: client.name,
    client_type: client.registeredBy === 'administrator' ? 'tenant_client' : 'mcp_dynamic_client',
    redirect_uris: client.redirectUris,
    base_url: ctx.config.BASE_URL,
    local_login_enabled: true,
    providers: await providersOf(ctx, challenge),
    ...Object.fromEntries(
      SIGN_IN_PARAMETERS.flatMap((name) => (challenge.parameters[name] === undefined ? [] : [[name, challenge.parameters[name]]])),
    ),
  }
}

/** @throws AppError login_challenge_invalid, tenant_mismatch, insufficient_user_authentication */
export const completeLogin = async (ctx: Ctx, caller: User, text: string): Promise<z.input<typeof LoginCompleted>> => {
  const { redirectTo, clientId } = await acceptLogin(ctx, caller, text)
  return { success: true, login_challenge: text, redirect_to: redirectTo, client_id: clientId, tenant_id: caller.tenantId, email: caller.email }
}
