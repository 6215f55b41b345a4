// Which factors a person has: disclosed to that person's session or login transaction. Every other caller gets the same answer for any address.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findVerifiedCustomDomain } from '#db/store/domains'
import { type Factor, findFactors } from '#db/store/factors'
import { findPhones } from '#db/store/sms'
import { findTenant } from '#db/store/tenants'
import { type ClaimedIdentity, type FactorContext, loadFactorContext } from '#shared/domains/factors/factor-context'
import { mustHaveFactor } from '#shared/domains/factors/policy'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { FlatLoginStatus, FlatStatus, MfaMethod, MfaState } from './status.schema.ts'

const WORDS: Readonly<Record<Factor['kind'], readonly [name: string, description: string]>> = {
  webauthn: ['Passkey', 'Sign in with a passkey or a security key.'],
  totp: ['Authenticator app', 'Six digits from an app on your phone.'],
  sms: ['Text message', 'Six digits by text message.'],
}

/** The person, if the caller proved to be that person; otherwise undefined. */
const proved = (ctx: Ctx, caller: User | undefined, claimed: ClaimedIdentity): Promise<FactorContext | undefined> =>
  loadFactorContext(ctx, caller, claimed, 'factor.verified').catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'authentication_required') return undefined
    throw error
  })

const methodsOf = async (ctx: Ctx, { tenantId, user }: FactorContext): Promise<z.input<typeof MfaMethod>[]> => {
  const t = forTenant(ctx.db, tenantId)
  const factors = await findFactors(t, user.id)
  const phones = await findPhones(
    t,
    factors.filter(({ kind }) => kind === 'sms').map(({ id }) => id),
  )
  return factors.map((factor) => {
    const phone = phones.find(({ factorId }) => factorId === factor.id)
    const [name, description] = WORDS[factor.kind]
    return {
      id: factor.id,
      client_id: user.id,
      user_id: user.id,
      method_type: factor.kind,
      display_name: factor.name === '' ? name : factor.name,
      description,
      recommended: factor.kind === 'webauthn',
      method_data: phone === undefined ? {} : { phone_display: phone.display },
      enabled: true,
      is_primary: factor.isPrimary,
      verified: true,
      enrolled_at: (factor.confirmedAt ?? factor.createdAt).toISOString(),
      ...(factor.lastUsedAt === null ? {} : { last_used_at: factor.lastUsedAt.toISOString() }),
      created_at: factor.createdAt.toISOString(),
      updated_at: (factor.lastUsedAt ?? factor.createdAt).toISOString(),
    }
  })
}

export const mfaStatus = async (ctx: Ctx, caller: User | undefined, claimed: ClaimedIdentity): Promise<z.input<typeof MfaState>> => {
  const factorContext = await proved(ctx, caller, claimed)
  const methods = factorContext === undefined ? [] : await methodsOf(ctx, factorContext)
  return methods.length === 0 ? { mfa_required: false } : { mfa_required: true, methods }
}

/** Like `mfaStatus`, with the tenant's own domain on which passkeys are created. */
export const mfaLoginStatus = async (ctx: Ctx, caller: User | undefined, claimed: ClaimedIdentity): Promise<z.input<typeof MfaState>> => {
  const factorContext = await proved(ctx, caller, claimed)
  if (factorContext === undefined) return { mfa_required: false }
  const methods = await methodsOf(ctx, factorContext)
  const domain = await findVerifiedCustomDomain(forTenant(ctx.db, factorContext.tenantId))
  const own = domain === undefined ? {} : { custom_domain: domain }
  return methods.length === 0 ? { mfa_required: false, ...own } : { mfa_required: true, methods, ...own }
}

export const flatStatus = async (
  ctx: Ctx,
  caller: User | undefined,
  claimed: ClaimedIdentity & { readonly email: string },
): Promise<z.input<typeof FlatStatus>> => {
  const factorContext = await proved(ctx, caller, claimed)
  const methods = factorContext === undefined ? [] : await methodsOf(ctx, factorContext)
  return { user_id: factorContext?.user.id ?? '', email: claimed.email, mfa_enabled: methods.length > 0, methods }
}

export const flatLoginStatus = async (ctx: Ctx, caller: User | undefined, claimed: ClaimedIdentity): Promise<z.input<typeof FlatLoginStatus>> => {
  const factorContext = await proved(ctx, caller, claimed)
  if (factorContext === undefined) return { mfa_required: false, methods: [], webauthn_status: 'unavailable' }
  const methods = await methodsOf(ctx, factorContext)
  const t = forTenant(ctx.db, factorContext.tenantId)
  const required = methods.length > 0 || (await mustHaveFactor(t, ctx, factorContext.user, await findTenant(t)))
  const hasPasskey = methods.some(({ method_type }) => method_type === 'webauthn')
  return { mfa_required: required, methods, webauthn_status: hasPasskey ? 'authenticate' : methods.length === 0 ? 'register' : 'unavailable' }
}
