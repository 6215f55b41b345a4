// A new password of a known person: checked against the tenant's policy, then hashed.
import type { Tenant } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { checkNewPassword } from '#shared/domains/passwords/policy'

export type AccountCtx = RequestCtx & { readonly breached: BreachedPasswords }
type Person = { readonly email: string; readonly name: string }

/** @throws AppError invalid_request, password_too_short, password_too_long, password_guessable, password_breached */
export const hashNewPassword = async (ctx: AccountCtx, tenant: Tenant | undefined, person: Person, password: string): Promise<string> => {
  await checkNewPassword(
    {
      password,
      email: person.email,
      name: person.name,
      secondFactorRequired: tenant?.settings.requireSecondFactor === true,
      field: 'body.new_password',
      ...(tenant === undefined ? {} : { tenantDomain: tenant.domain }),
    },
    ctx.breached,
  )
  return ctx.passwords.hash(password)
}
