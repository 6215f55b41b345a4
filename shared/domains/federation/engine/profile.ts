// A person as proved by a provider.
import { normaliseEmail } from '#shared/kernel/email'

export type Profile = {
  /** Issuer and subject together identify the person. */
  readonly issuer: string
  readonly subject: string
  /** Normalised; absent when the provider sends none or an invalid one. */
  readonly email?: string
  readonly emailVerified: boolean
  readonly name?: string
  readonly picture?: string
  /** Whether the provider reports more than one factor. Counts only where the tenant trusts it. */
  readonly severalFactors: boolean
}

const MAX_CHARACTERS = 256
/** OpenID Connect Core section 2: at most 255 ASCII characters. */
const SUBJECT = /^[\u0021-\u007e]{1,255}$/

const shortText = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return undefined
  const text = value
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .trim()
    .slice(0, MAX_CHARACTERS)
  return text === '' ? undefined : text
}

const pictureOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= 2048 && /^https:\/\//.test(value) && URL.canParse(value) ? new URL(value).href : undefined

/** `acr` values for several factors: OpenID EAP ACR values, REFEDS, SAML's and ours. */
const STRONG_ACR = new Set([
  'phr',
  'phrh',
  'https://refeds.org/profile/mfa',
  'http://schemas.openid.net/pape/policies/2007/06/multi-factor',
  'aal2',
  'aal3',
])

export const provesMultipleFactors = (amr: unknown, acr: unknown): boolean =>
  (Array.isArray(amr) && amr.includes('mfa')) || (typeof acr === 'string' && STRONG_ACR.has(acr))

type ReportedProfile = { readonly issuer: string; readonly subject: unknown; readonly email: unknown; readonly emailVerified: boolean } & Readonly<
  Record<'name' | 'picture' | 'amr' | 'acr', unknown>
>

/** Undefined without a valid subject. */
export const profileOf = (reported: ReportedProfile): Profile | undefined => {
  if (typeof reported.subject !== 'string' || !SUBJECT.test(reported.subject)) return undefined
  const email = typeof reported.email === 'string' ? normaliseEmail(reported.email) : undefined
  const [name, picture] = [shortText(reported.name), pictureOf(reported.picture)]
  return {
    issuer: reported.issuer,
    subject: reported.subject,
    ...(email === undefined ? {} : { email }),
    emailVerified: email !== undefined && reported.emailVerified,
    ...(name === undefined ? {} : { name }),
    ...(picture === undefined ? {} : { picture }),
    severalFactors: provesMultipleFactors(reported.amr, reported.acr),
  }
}
