// Starts a sign-in through a SAML identity provider: for a front end that holds a login challenge, or from our own sign-in page.
import type * as z from 'zod'
import { forTenant, type TenantId } from '#db/engine/tenant'
import type { SamlProvider } from '#db/store/saml-providers'
import { findTenant } from '#db/store/tenants'
import { requireReturnTarget, requireReturnTargetOf } from '#shared/domains/federation/return-target'
import { samlProvidersAt } from '#shared/domains/federation/saml-providers'
import { findLoginChallenge } from '#shared/domains/oauth/login-challenge'
import { findSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import type { InitiateSaml, SamlInitiated } from './initiate.schema.ts'
import { startSamlRequest } from './state.ts'

/** @throws AppError saml_provider_unknown, provider_not_enabled */
const requireProvider = async (ctx: Ctx, tenantId: TenantId, clientId: string | undefined, name: string): Promise<SamlProvider> => {
  const active = (await findTenant(forTenant(ctx.db, tenantId)))?.status === 'active'
  const row = active ? (await samlProvidersAt(ctx, tenantId, clientId)).find(({ providerName }) => providerName === name) : undefined
  if (row === undefined) throw new AppError('saml_provider_unknown')
  if (!row.isActive) throw new AppError('provider_not_enabled', 'Provider is not active')
  return row
}

/** @throws AppError saml_client_unknown, saml_provider_unknown, provider_not_enabled, redirect_refused */
export const initiateSaml = async (
  ctx: Ctx,
  name: string,
  body: z.output<typeof InitiateSaml>,
): Promise<HttpResult<z.input<typeof SamlInitiated>>> => {
  const challenge = await findLoginChallenge(ctx, body.login_challenge)
  if (challenge === undefined) throw new AppError('saml_client_unknown')
  const { tenantId, clientId } = challenge
  const target = await requireReturnTarget(ctx)
  requireReturnTargetOf(target, tenantId)
  const provider = await requireProvider(ctx, tenantId, clientId, name)
  const started = await startSamlRequest(ctx, { tenantId, provider, clientId, origin: target.origin, loginChallenge: challenge.text })
  const { url, samlRequest, relayState, cookie } = started
  return new HttpResult(
    { success: true, sso_url: url, saml_request: samlRequest, relay_state: relayState, provider: provider.providerName },
    { cookies: [cookie] },
  )
}

/** The response is posted to the platform's host, so the cookie that binds the browser must be set there. */
const goToOurs = (ours: string, requested: Readonly<Record<string, string | undefined>>): HttpResult<undefined> => {
  const query = new URLSearchParams(Object.entries(requested).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  return new HttpResult(undefined, { headers: { Location: `${ours}/signin/saml?${query}` } })
}

/** @throws AppError saml_provider_unknown, provider_not_enabled */
export const initiateSamlOnPage = async (
  ctx: Ctx,
  { provider: name, lang: _, ...signInContext }: SignInContextRequest & { readonly provider: string },
) => {
  const at = await findSignInContext(ctx, signInContext)
  if (at.kind !== 'tenant') throw new AppError('saml_provider_unknown')
  const [origin, ours] = [withPageOrigin(ctx).request.origin ?? '', new URL(ctx.config.BASE_URL).origin]
  if (origin !== ours) return goToOurs(ours, { client_id: at.clientId, ...signInContext, provider: name })
  const provider = await requireProvider(ctx, at.tenantId, at.clientId, name)
  const page = Object.fromEntries(Object.entries(signInContext).filter(([, value]) => value !== undefined))
  const { url, cookie } = await startSamlRequest(ctx, {
    tenantId: at.tenantId,
    provider,
    clientId: at.clientId ?? provider.clientId,
    origin,
    page,
  })
  return new HttpResult(undefined, { headers: { Location: url }, cookies: [cookie] })
}
