// The response of a first step.
import * as z from 'zod'
import type { FactorKind } from '#db/store/users'

const shape = {
  tenant_id: z.string(),
  tenant_domain: z.string().optional(),
  email: z.string(),
  otp_required: z.boolean(),
  webauthn_required: z.boolean().optional(),
  mfa_required: z.boolean(),
  mfa_method: z.string().optional(),
  methods: z.array(z.string()).optional(),
  /** Proof of this step for the next one; also set as a cookie. */
  login_ticket: z.string().optional(),
  /** The password is temporary: until it is changed, the session cannot be used for anything else. */
  password_change_required: z.boolean().optional(),
  temporary_password: z.boolean().optional(),
}

/** A response without a token: the next step mints it. */
export const FirstStep = z.object({ ...shape, first_login: z.boolean().optional() }).meta({ id: 'FirstStep' })
export const LoginResponse = z
  .object({
    ...shape,
    first_login: z.boolean(),
    token: z.string().optional(),
    message: z.string().optional(),
  })
  .meta({ id: 'LoginResponse' })

export const MintedToken = z
  .object({
    token: z.string().optional(),
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    first_login: z.boolean(),
    tenant_id: z.string(),
    email: z.string(),
    password_change_required: z.boolean().optional(),
    temporary_password: z.boolean().optional(),
  })
  .meta({ id: 'MintedToken' })

export const Challenge = z.object({ challenge: z.uuid(), expires_at: z.int(), created_at: z.int() }).meta({ id: 'LoginChallenge' })

/** The members that report a temporary password. */
export const temporaryMembers = ({ temporaryPassword }: { readonly temporaryPassword: boolean }) =>
  temporaryPassword ? { temporary_password: true, password_change_required: true } : {}

/** The members that name the required factor. */
export const factorMembers = (kinds: readonly FactorKind[], required: boolean) => ({
  otp_required: kinds.includes('totp'),
  webauthn_required: kinds.includes('webauthn'),
  mfa_required: required,
  ...(kinds[0] === undefined ? {} : { mfa_method: kinds[0] }),
  methods: [...kinds],
})
