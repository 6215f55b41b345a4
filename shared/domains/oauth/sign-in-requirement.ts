// What an authorization request requires of the sign-in (OpenID Connect Core section 3.1.2.1, RFC 9470), and whether a session meets that. Pure.
import { atLeast } from '#shared/platform/tokens/acr'

export type RequestedSignIn = {
  readonly prompts: readonly string[]
  readonly maxAgeSeconds: number | undefined
  readonly acrValues: readonly string[]
}

const words = (text: string | undefined): readonly string[] => text?.split(' ').filter((word) => word !== '') ?? []

/** From validated parameters. */
export const requestedSignIn = (p: Readonly<Record<string, string | undefined>>): RequestedSignIn => ({
  prompts: words(p.prompt),
  maxAgeSeconds: p.max_age === undefined ? undefined : Number(p.max_age),
  acrValues: words(p.acr_values),
})

/** `isFresh`: the sign-in is newer than the request. */
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
