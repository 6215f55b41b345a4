// What an authorization request asks of the sign-in behind it (OpenID Connect Core section 3.1.2.1, RFC 9470), and whether a sign-in is that. Pure.
import { atLeast } from '#shared/platform/tokens/acr'

export type AskedSignIn = {
  readonly prompts: readonly string[]
  readonly maxAgeSeconds: number | undefined
  readonly acrValues: readonly string[]
}

const words = (text: string | undefined): readonly string[] => text?.split(' ').filter((word) => word !== '') ?? []

/** Of parameters that were checked when they came. */
export const askedSignIn = (p: Readonly<Record<string, string | undefined>>): AskedSignIn => ({
  prompts: words(p.prompt),
  maxAgeSeconds: p.max_age === undefined ? undefined : Number(p.max_age),
  acrValues: words(p.acr_values),
})

/** `isFresh`: since the request began to wait. */
export type Weighed = { readonly isFresh: boolean; readonly isStrong: boolean; readonly isOld: boolean }

export const weighSignIn = (
  asked: AskedSignIn,
  session: { readonly authTime: Date; readonly acr: string },
  waitingSince: Date | undefined,
  now: Date,
): Weighed => {
  const isFresh = waitingSince !== undefined && session.authTime >= waitingSince
  const age = (now.getTime() - session.authTime.getTime()) / 1000
  return {
    isFresh,
    isStrong: asked.acrValues.length === 0 || asked.acrValues.some((acr) => atLeast(session.acr, acr)),
    isOld: !isFresh && (asked.prompts.some((prompt) => prompt === 'login' || prompt === 'select_account') || age > (asked.maxAgeSeconds ?? age)),
  }
}
