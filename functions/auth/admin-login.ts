// An administrator signs in.
import type * as z from 'zod'
import { directory, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { hasAdministrator } from '#db/store/administrators'
import { findDomainOwner, findTenantByDomain } from '#db/store/domains'
import type { Account, SignInSnapshot } from '#db/store/sign-in'
import { findAdministeredTenants } from '#db/store/users'
import { expiredTransactionCookie } from '#shared/domains/login-transaction/login-transaction'
import { hasAdminAccess as isAdministrator } from '#shared/domains/sign-in/admin-access'
import { checkPassword, invalidCredentials, requireProvedAddress } from '#shared/domains/sign-in/check-password'
import { chooseAdministratorTenant, fullDomain, namedDomain, tenantOfOrigin } from '#shared/domains/sign-in/choose-tenant'
import { afterPassword, type FirstStepResult } from '#shared/domains/sign-in/first-step'
import { type FirstStep, factorMembers, type LoginResponse, type MintedToken, temporaryMembers } from '#shared/domains/sign-in/login-response'
import { mintFromLoginTransaction } from '#shared/domains/sign-in/mint-from-login-transaction'
import { checkReplay, requireChallenge } from '#shared/domains/sign-in/replay'
import { acceptsCompanies } from '#shared/domains/sign-up/open-sign-up'
import { AppError } from '#shared/kernel/errors'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { HttpResult } from '#shared/platform/http/route'
import type { AdminLogin, AdminPrecheck, AdminPrechecked, HybridLogin, MintBody } from './admin-login.schema.ts'
import type { Ctx } from './group.ts'

type Credentials = z.output<typeof AdminLogin>

type Identified = { readonly tenantId: TenantId; readonly user: Account; readonly snapshot: SignInSnapshot | undefined }

/** @throws AppError invalid_credentials, request_validation_failed, signature_unsupported, password_reset_required, temporary_password_expired, email_not_verified */
const identify = async (ctx: Ctx, body: Credentials): Promise<Identified> => {
  await checkReplay(ctx, body)
  const tenantId = await chooseAdministratorTenant(ctx, {
    email: body.email,
    tenantDomain: body.tenant_domain,
    transactionToken: body.login_ticket,
  })
  const { user, tenant, hasAdminAccess, snapshot } = await checkPassword(ctx, tenantId, body.email, body.password)
  if (tenantId === undefined || !hasAdminAccess) throw invalidCredentials(tenantId, user.id)
  requireProvedAddress(ctx, tenant, user)
  if (tenant.settings.requireLoginChallenge === true) requireChallenge(body)
  return { tenantId, user, snapshot }
}

const stepMembers = ({ tenantId, user }: Identified, done: FirstStepResult) => ({
  tenant_id: tenantId,
  ...(done.state.tenant === undefined ? {} : { tenant_domain: done.state.tenant.domain }),
  email: user.email,
  ...factorMembers(done.state.kinds, done.state.required),
  ...(done.transactionToken === undefined ? {} : { login_ticket: done.transactionToken }),
  ...temporaryMembers(user),
})

/** `auth/admin/login`: a token where no second factor is required, else a login transaction. */
export const loginAdministrator = async (ctx: Ctx, body: Credentials): Promise<HttpResult<z.input<typeof LoginResponse>>> => {
  const identified = await identify(ctx, body)
  const done = await afterPassword(ctx, { ...identified, clientId: undefined, mayMint: true })
  return new HttpResult(
    {
      ...stepMembers(identified, done),
      first_login: identified.user.lastLoginAt === null,
      ...(done.minted === undefined ? {} : { token: done.minted.token }),
    },
    { cookies: done.cookies },
  )
}

/** `uflow/login`, for the UI: never a token. The UI starts enrolment when `first_login` is true, so it is true while no factor is enrolled. */
export const loginFromUi = async (ctx: Ctx, body: Credentials): Promise<HttpResult<z.input<typeof FirstStep>>> => {
  const identified = await identify(ctx, body)
  const done = await afterPassword(ctx, { ...identified, clientId: undefined, mayMint: false })
  return new HttpResult({ ...stepMembers(identified, done), first_login: done.state.kinds.length === 0 }, { cookies: done.cookies })
}

/** `auth/admin/login-hybrid`: the same step; the response has the shape of AuthSec's hybrid login. */
export const loginHybrid = async (ctx: Ctx, body: Credentials): Promise<HttpResult<z.input<typeof HybridLogin>>> => {
  const identified = await identify(ctx, body)
  const done = await afterPassword(ctx, { ...identified, clientId: undefined, mayMint: true })
  const isPlatform = identified.tenantId === SYSTEM_TENANT
  const { webauthn_required: _, mfa_method: __, ...members } = stepMembers(identified, done)
  return new HttpResult(
    {
      ...members,
      tenant_id: isPlatform ? 'admin' : identified.tenantId,
      otp_required: done.state.kinds.includes('totp'),
      first_login: identified.user.lastLoginAt === null,
      ...(done.minted === undefined ? {} : { token: done.minted.token }),
      source: isPlatform ? 'main_database' : 'tenant_database',
      user_type: isPlatform ? 'global_admin' : 'tenant_user',
    },
    { cookies: done.cookies },
  )
}

/** `login/webauthn-callback`: issues the token for the login transaction alone. */
export const finishAdministratorLogin = async (ctx: Ctx, body: z.output<typeof MintBody>): Promise<HttpResult<z.input<typeof MintedToken>>> => {
  if (!body.mfa_verified) throw new AppError('mfa_verification_failed')
  const minted = await mintFromLoginTransaction(ctx, {
    email: body.email,
    tenantId: body.tenant_id,
    transactionToken: body.login_ticket,
    admits: (t, user) => isAdministrator(t, ctx, user.id),
  })
  return new HttpResult(
    {
      token: minted.token,
      access_token: minted.token,
      token_type: 'Bearer',
      expires_in: minted.expiresInSeconds,
      tenant_id: minted.tenant.tenantId,
      email: minted.user.email,
      first_login: minted.firstLogin,
      ...temporaryMembers(minted.user),
    },
    { cookies: [...minted.cookies, expiredTransactionCookie(ctx, 'login')] },
  )
}

/** The verified custom domain that the browser is on, else the platform's own. */
const domainForForm = async (ctx: Ctx, current: string | undefined): Promise<string> => {
  const host = ctx.request.origin !== undefined && URL.canParse(ctx.request.origin) ? new URL(ctx.request.origin).hostname : undefined
  if (host !== undefined && (await tenantOfOrigin(ctx)) !== undefined) return host
  const named = namedDomain(ctx, current)
  if (named !== undefined && (await findTenantByDomain(directory(ctx.db), named)) !== undefined) return named
  return ctx.config.TENANT_DOMAIN_SUFFIX
}

/** The providers of the company whose domain the browser is on, else the platform's: by domain, never by e-mail address. */
const providersAt = async (ctx: Ctx, current: string | undefined): Promise<string[]> => {
  const named = namedDomain(ctx, current)
  const tenantId = (await tenantOfOrigin(ctx)) ?? (named !== undefined ? await findTenantByDomain(directory(ctx.db), named) : undefined)
  const { listUpstreams } = await import('#shared/domains/federation/upstream')
  return (await listUpstreams(ctx, tenantId ?? SYSTEM_TENANT)).map(({ name }) => name)
}

/** Whether no administrator can sign in yet: in the whole deployment, or at the platform's sub-domain that the form names. */
const isWithoutAdministrator = async (ctx: Ctx, current: string | undefined): Promise<boolean> => {
  const d = directory(ctx.db)
  if (!(await hasAdministrator(d))) return true
  const named = current === undefined ? undefined : fullDomain(ctx.config, current)
  return named?.endsWith(`.${ctx.config.TENANT_DOMAIN_SUFFIX}`) === true && (await findDomainOwner(d, named)) === undefined
}

/**
 * The form's next step. It depends on the domain that the browser is on and on the domain of the address, never on whether the address is known: the same
 * statements run for every address. With COMPATIBILITY=authsec an unknown address is sent to sign-up where companies can sign up.
 */
export const precheckAdministrator = async (ctx: Ctx, body: z.output<typeof AdminPrecheck>): Promise<z.input<typeof AdminPrechecked>> => {
  const here = await tenantOfOrigin(ctx)
  const { homeRealm } = await import('#shared/domains/federation/home-realm')
  const realm = await homeRealm(ctx, body.email, here === undefined ? { kind: 'platform' } : { kind: 'tenant', tenantId: here })
  if (realm !== undefined) {
    const available_providers = ['email', ...realm.providers.map(({ name }) => name)]
    return { exists: true, next_step: 'login', requires_password: true, tenant_domain: realm.domain, available_providers }
  }
  if (await acceptsCompanies(ctx)) {
    const isNew =
      ctx.config.COMPATIBILITY === 'authsec'
        ? (await findAdministeredTenants(directory(ctx.db), emailHash(ctx, body.email))).length === 0
        : await isWithoutAdministrator(ctx, body.current_domain)
    if (isNew) return { exists: false, next_step: 'bootstrap', requires_password: false }
  }
  return {
    exists: true,
    next_step: 'login',
    requires_password: true,
    tenant_domain: await domainForForm(ctx, body.current_domain),
    available_providers: ['email', ...(await providersAt(ctx, body.current_domain))],
  }
}
