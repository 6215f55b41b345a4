// Signs up a company through a provider. The administrator is the identity in the proof; members repeated in the body must equal it.
import type * as z from 'zod'
import { asTenantId, atomically, forTenant, inOtherTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import { findIdentity } from '#db/store/identities'
import { updateUser } from '#db/store/users'
import { companyNameOf, isSingleTenantTaken, refuseSecondCompany, requireOpenSignUp } from '#shared/domains/sign-up/open-sign-up'
import { type CreatedTenant, createTenant } from '#shared/domains/tenancy/create-tenant'
import { AppError } from '#shared/kernel/errors'
import { normaliseTenantDomain } from '#shared/kernel/tenant-domain'
import { byAnonymous } from '#shared/platform/audit/audit-log'
import { HttpResult } from '#shared/platform/http/route'
import type { CompletedFederated, CompleteFederated } from './exchange.schema.ts'
import type { Ctx } from './group.ts'
import { consumeProof, expiredProofCookie, type FederatedProof, type HeldProof, loadHeldProof, storeProof } from './held-proof.ts'
import { linkIdentity } from './identity.ts'
import { mailFederationCode, requireFederationCode, wrongFederationCode } from './mailed-code.ts'
import type { EnteredAccount, PendingStep } from './outcome.ts'
import { noAccountError, signInWithIdentity } from './sign-in.ts'

/** @throws AppError email_missing */
const addressOf = ({ profile }: FederatedProof): string => {
  if (profile.email === undefined) throw new AppError('email_missing')
  return profile.email
}

/** Creates tenant, administrator, project, client, seeds and identity in one transaction. `also` runs in the same transaction. */
const create = async (ctx: Ctx, domain: string, proof: FederatedProof, also: (t: TenantTx) => Promise<void>): Promise<CreatedTenant> => {
  const email = addressOf(proof)
  requireOpenSignUp(ctx)
  const created = await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    await also(t)
    await refuseSecondCompany(t, ctx)
    return inOtherTenant(t, asTenantId(ctx.random.id()), async (own) => {
      const admin = { email, name: proof.profile.name ?? email, passwordHash: null, provedAt: ctx.clock.now() }
      const ids = await createTenant(own, ctx, { name: companyNameOf(ctx.config, domain), domain, actor: byAnonymous, admin })
      const { picture, subject } = proof.profile
      await updateUser(own, ids.userId, { provider: proof.provider, providerId: subject, ...(picture === undefined ? {} : { avatarUrl: picture }) })
      await linkIdentity(own, ctx, { id: ids.userId, email }, proof, byAnonymous)
      return ids
    })
  })
  ctx.metrics.count('tenant_operations_total', { operation: 'create', result: 'success' })
  ctx.wakeOutbox()
  return created
}

/**
 * Signs up a company whose domain was given at the start. An unverified address must be proved by a mailed code first, and `complete-registration` finishes it.
 * @throws AppError email_missing, email_confirmation_required, sign_up_closed, single_tenant, tenant_domain_taken, …
 */
export const registerVerifiedCompany = async (
  ctx: Ctx,
  domain: string,
  proof: FederatedProof,
  origin: string,
): Promise<EnteredAccount | PendingStep> => {
  addressOf(proof)
  if (!proof.profile.emailVerified) {
    const transactionToken = await atomically(forTenant(ctx.db, SYSTEM_TENANT), (t) => storeProof(t, ctx, 'registration', proof, { origin }))
    return { kind: 'step_required', step: 'registration', transactionToken, proof, origin, domain }
  }
  const { tenantId } = await create(ctx, domain, proof, async () => undefined)
  const id = asTenantId(tenantId)
  const identity = await findIdentity(forTenant(ctx.db, id), proof.profile.issuer, proof.profile.subject)
  if (identity === undefined) throw noAccountError(id)
  return signInWithIdentity(ctx, id, identity, proof)
}

/** @throws AppError federation_ticket_invalid, email_missing, sign_up_closed, too_many_codes, quota_exceeded */
export const sendRegistrationCode = async (ctx: Ctx, inBody: string | undefined) => {
  requireOpenSignUp(ctx)
  return mailFederationCode(ctx, 'federation_registration', await loadHeldProof(ctx, 'registration', inBody))
}

/** Identity members of the body must equal the proof. @throws AppError invalid_request */
const requireSame = ({ provider, profile }: FederatedProof, body: z.output<typeof CompleteFederated>): void => {
  const kept: Readonly<Record<string, string>> = {
    provider,
    email: profile.email ?? '',
    provider_user_id: profile.subject,
    name: profile.name ?? '',
    picture: profile.picture ?? '',
  }
  for (const name of ['provider', 'email', 'provider_user_id', 'name', 'picture'] as const) {
    if (body[name] !== undefined && body[name] !== kept[name])
      throw new AppError('invalid_request', `body.${name}: differs from the identity at the provider`, {
        field: `body.${name}`,
        refusal: { tenantId: SYSTEM_TENANT, event: 'tenant.created' },
      })
  }
}

/** An unverified address needs its mailed code. @throws AppError email_confirmation_required, invalid_code */
const proofOfAddress = async (ctx: Ctx, heldProof: HeldProof, otp: string | undefined): Promise<((t: TenantTx) => Promise<void>) | undefined> => {
  if (heldProof.proof.profile.emailVerified) return undefined
  if (otp === undefined) throw new AppError('email_confirmation_required')
  const codeId = await requireFederationCode(ctx, 'federation_registration', heldProof, otp)
  return async (t) => {
    if (!(await consumeCode(t, codeId, ctx.clock.now()))) throw wrongFederationCode(heldProof)
  }
}

/**
 * Creates the company from the held proof.
 * @throws AppError federation_ticket_invalid, invalid_request, tenant_domain_invalid, tenant_domain_taken, sign_up_closed, single_tenant,
 * email_confirmation_required, invalid_code
 */
export const completeRegistration = async (
  ctx: Ctx,
  body: z.output<typeof CompleteFederated>,
): Promise<HttpResult<z.input<typeof CompletedFederated>>> => {
  const heldProof = await loadHeldProof(ctx, 'registration', body.registration_ticket)
  requireSame(heldProof.proof, body)
  requireOpenSignUp(ctx)
  if (await isSingleTenantTaken(ctx)) throw new AppError('single_tenant')
  const domain = normaliseTenantDomain(body.tenant_domain, ctx.config.TENANT_DOMAIN_SUFFIX)
  if (domain === undefined) throw new AppError('tenant_domain_invalid', undefined, { field: 'body.tenant_domain' })
  const proved = await proofOfAddress(ctx, heldProof, body.otp)
  const created = await create(ctx, domain, heldProof.proof, async (t) => {
    await proved?.(t)
    await consumeProof(t, ctx, heldProof)
  })
  return new HttpResult(
    {
      success: true,
      message: 'Your organisation is ready. Sign in to continue.',
      tenant_domain: domain,
      tenant_id: created.tenantId,
      client_id: created.clientId,
      user_id: created.userId,
      project_id: created.projectId,
      first_login: true,
    },
    { cookies: [expiredProofCookie(ctx)] },
  )
}
