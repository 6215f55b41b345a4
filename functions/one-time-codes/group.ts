// Group: codes as second factors: authenticator apps, backup codes and SMS (webauthn/totp/*, webauthn/sms/*, uflow/auth/totp/*, uflow/auth/tenant/totp/*),
// and the list of a person's factors (webauthn/**/mfa/*). Separate from passkeys, whose packages these paths do not need.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'
import type { Sms } from '#shared/platform/outbox/sms/sms'

export type Ctx = RequestCtx & { readonly sms: Sms }
export const route = routeFor<Ctx>()
