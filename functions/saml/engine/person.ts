// Identifies the person from an assertion: by the tenant's attribute mapping first, then by the attribute names that providers commonly use.
import type { AttributeMapping } from '#db/store/saml-providers'
import { normaliseEmail } from '#shared/kernel/email'
import type { ValidatedAssertion } from './assertion.ts'

export type SamlPerson = {
  readonly nameId: string
  /** Normalised; absent when the assertion has no address, several, or an invalid one. */
  readonly email: string | undefined
  readonly name: string | undefined
  /** Whether the provider asserts more than one factor. Counts only if the tenant trusts the provider for that. */
  readonly severalFactors: boolean
}

const NAMES = {
  email: ['email', 'emailAddress', 'mail', 'urn:oid:0.9.2342.19200300.100.1.3'],
  first_name: ['givenName', 'firstName', 'urn:oid:2.5.4.42'],
  last_name: ['surname', 'lastName', 'sn', 'urn:oid:2.5.4.4'],
  name: ['displayName', 'urn:oid:2.16.840.1.113730.3.1.241'],
} as const

/** Authentication contexts that mean several factors: REFEDS, Microsoft's, and the two-factor contexts of SAML 2.0 Authentication Context. */
const SEVERAL: ReadonlySet<string> = new Set([
  'https://refeds.org/profile/mfa',
  'http://schemas.microsoft.com/claims/multipleauthn',
  'urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract',
  'urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered',
])

const MOST_CHARACTERS = 256
const shortText = (value: string | undefined): string | undefined => {
  const text = (value ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .trim()
    .slice(0, MOST_CHARACTERS)
  return text === '' ? undefined : text
}

export const samlPersonOf = ({ nameId, contexts, attributes }: ValidatedAssertion, mapping: AttributeMapping): SamlPerson => {
  const values = (what: keyof typeof NAMES): readonly string[] => {
    const mapped = Object.hasOwn(mapping, what) ? mapping[what] : undefined
    const names = [...(mapped === undefined ? [] : [mapped]), ...NAMES[what]]
    return names.map((name) => attributes.get(name) ?? []).find((found) => found.length > 0) ?? []
  }
  const reported = [...new Set(values('email').map((address) => normaliseEmail(address)))]
  const parts = [values('first_name')[0], values('last_name')[0]].filter((part) => part !== undefined)
  return {
    nameId,
    email: reported.length === 0 ? normaliseEmail(nameId) : reported.length === 1 ? reported[0] : undefined,
    name: shortText(values('name')[0]) ?? shortText(parts.join(' ')),
    severalFactors: contexts.some((context) => SEVERAL.has(context)),
  }
}
