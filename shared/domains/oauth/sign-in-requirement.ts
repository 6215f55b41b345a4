// What an authorization request asks of the sign-in behind it (OpenID Connect Core section 3.1.2.1, RFC 9470), and whether a sign-in is that. Pure.
import { atLeast } from '#shared/platform/tokens/acr'

export type RequestedSignIn = {
  readonly prompts: readonly string[]
  readonly maxAgeSeconds: number | undefined
  readonly acrValues: readonly string[]
}

const words = (text: string | undefined): readonly string[] => text?.split(' ').filter((word) => word !== '') ?? []

/** Of parameters that were checked when they came. */
export const requestedSignIn = (p: Readonly<Record<string, string | undefined>>): RequestedSignIn => ({
  prompts: words(p.prompt),
  maxAgeSeconds: p.max_age === undefined ? undefined : Number(p.max_age),
  acrValues: words(p.acr_values),
})

/** `isFresh`: since the request began to wait. */
export type SignInAssessment = { readonly isFresh: boolean; readonly isStrong: boolean; readonly isOld: boolean }

export const assessSignIn = (
  requested: RequestedSignIn,
  session: { readonly authTime: Date; readonly acr: string },
  waitingSince: Date | undefined,
  now: Date,
): SignInAssessment => {
  const isFresh = waitingSince !== undefined && session.authTime >= waitingSince
  const age = (now.getTime() - session.authTime.getTime()) / 1000
  return {
    isFresh,
    isStrong: requested.acrValues.length === 0 || requested.acrValues.some((acr) => atLeast(session.acr, acr)),
    isOld:
      !isFresh && (requested.prompts.some((prompt) => prompt === 'login' || prompt === 'select_account') || age > (requested.maxAgeSeconds ?? age)),
  }
}
