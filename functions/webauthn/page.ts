// Ceremonies of a person who is signed in on our own pages, by the browser's session.
import * as z from 'zod'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import { sessionCookie } from '#shared/platform/http/pages/session'
import { HttpResult, type Schema } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { type AuthenticationForm, beginAuthentication, finishAuthentication } from './authentication.ts'
import { Assertion, Registered } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import type { PageCeremonyDone, PageCeremonyForm } from './page.schema.ts'
import { beginRegistration, finishRegistration } from './registration.ts'

type CeremonyResult = HttpResult<z.input<typeof PageCeremonyDone>>
type Given = z.output<typeof PageCeremonyForm>
const DONE = { success: true } as const

/** @throws AppError invalid_request */
const credentialIn = <S extends Schema>(schema: S, text: string): z.output<S> => {
  const read = (): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  }
  const { data } = z.safeParse(schema, read())
  if (data === undefined) throw new AppError('invalid_request', 'credential: must be a credential in JSON', { field: 'form.credential' })
  return data
}

export const beginOwnRegistration = (ctx: Ctx, principal: User) => beginRegistration(withPageOrigin(ctx), principal, {})

/** @throws AppError invalid_request, authentication_required, insufficient_user_authentication, mailbox_proof_required, no_registration_session, registration_failed, factor_limit */
export const finishOwnRegistration = async (ctx: Ctx, principal: User, given: Given): Promise<CeremonyResult> => {
  const { cookies } = await finishRegistration(withPageOrigin(ctx), principal, {
    session_id: given.session_id,
    credential: credentialIn(Registered, given.credential),
  })
  return new HttpResult(DONE, { cookies: [...cookies, ...redirectResult(ctx, HOME, { say: 'method_added' }).cookies] })
}

const CONFIRMS: AuthenticationForm = { purpose: 'authentication', missing: { code: 'no_credentials' } }

export const beginReauthentication = (ctx: Ctx, principal: User) => beginAuthentication(withPageOrigin(ctx), principal, {}, CONFIRMS)

/** Renews the browser's session under a new token. @throws AppError invalid_request, authentication_required, no_authentication_session, passkey_refused */
export const finishReauthentication = async (ctx: Ctx, principal: User, given: Given): Promise<CeremonyResult> => {
  const { result, cookies } = await finishAuthentication(
    withPageOrigin(ctx),
    principal,
    { session_id: given.session_id, credential: credentialIn(Assertion, given.credential) },
    CONFIRMS,
  )
  const { access_token: token, expires_in: expiresInSeconds } = result
  if (token === undefined || expiresInSeconds === undefined) throw new Error('a session was verified and not renewed')
  return new HttpResult(DONE, { cookies: [...cookies, sessionCookie(ctx, { token, expiresInSeconds })] })
}
