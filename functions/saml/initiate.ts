// Where a sign-in through a SAML identity provider begins: for a front end that holds a login challenge, or from our own sign-in page.
import type * as z from 'zod'
import { forTenant, type TenantId } from '#db/engine/tenant'
import type { SamlProvider } from '#db/store/saml-providers'
import { findTenant } from '#db/store/tenants'
import { samlProvidersAt } from '#shared/domains/federation/saml-providers'
import { requireTarget, requireTargetOf } from '#shared/domains/federation/target'
import { findLoginChallenge } from '#shared/domains/oauth/login-challenge'
import { findDoor } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { Sent } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import type { Initiate, Initiated } from './initiate.schema.ts'
import { startRequest } from './state.ts'

/** @throws AppError saml_provider_unknown, provider_not_enabled */
const requireProvider = async (ctx: Ctx, tenantId: TenantId, clientId: string | undefined, name: string): Promise<SamlProvider> => {
  const active = (await findTenant(forTenant(ctx.db, tenantId)))?.status === 'active'
  const row = active ? (await samlProvidersAt(ctx, tenantId, clientId)).find(({ providerName }) => providerName === name) : undefined
  if (row === undefined) throw new AppError('saml_provider_unknown')
  if (!row.isActive) throw new AppError('provider_not_enabled', 'Provider is not active')
  return row
}

/** @throws AppError saml_client_unknown, saml_provider_unknown, provider_not_enabled, redirect_refused */
export const initiate = async (ctx: Ctx, name: string, body: z.output<typeof Initiate>): Promise<Sent<z.input<typeof Initiated>>> => {
  const challenge = await findLoginChallenge(ctx, body.login_challenge)
  if (challenge === undefined) throw new AppError('saml_client_unknown')
  const { tenantId, clientId } = challenge
  const target = await requireTarget(ctx)
  requireTargetOf(target, tenantId)
  const provider = await requireProvider(ctx, tenantId, clientId, name)
  const started = await startRequest(ctx, { tenantId, provider, clientId, origin: target.origin, loginChallenge: challenge.text })
  const { url, samlRequest, relayState, cookie } = started
  return new Sent(
    { success: true, sso_url: url, saml_request: samlRequest, relay_state: relayState, provider: provider.providerName },
    { cookies: [cookie] },
  )
}

/** The answer comes back to the platform's own host, and the browser that began has to be known there. */
const goToOurs = (ours: string, asked: Readonly<Record<string, string | undefined>>): Sent<undefined> => {
  const query = new URLSearchParams(Object.entries(asked).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  return new Sent(undefined, { headers: { Location: `${ours}/signin/saml?${query}` } })
}

/** @throws AppError saml_provider_unknown, provider_not_enabled */
export const initiateOnPage = async (ctx: Ctx, { provider: name, lang: _, ...door }: DoorAsked & { readonly provider: string }) => {
  const at = await findDoor(ctx, door)
  if (at.kind !== 'tenant') throw new AppError('saml_provider_unknown')
  const [origin, ours] = [onPage(ctx).request.origin ?? '', new URL(ctx.config.BASE_URL).origin]
  if (origin !== ours) return goToOurs(ours, { client_id: at.clientId, ...door, provider: name })
  const provider = await requireProvider(ctx, at.tenantId, at.clientId, name)
  const page = Object.fromEntries(Object.entries(door).filter(([, value]) => value !== undefined))
  const { url, cookie } = await startRequest(ctx, {
    tenantId: at.tenantId,
    provider,
    clientId: at.clientId ?? provider.clientId,
    origin,
    page,
  })
  return new Sent(undefined, { headers: { Location: url }, cookies: [cookie] })
}
