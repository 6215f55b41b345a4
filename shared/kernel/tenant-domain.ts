// Tenant domains below the platform's own domain.

/**
 * Labels that people, mail servers or certificate authorities would take for the platform or its owner (RFC 2142; CA/Browser Forum, section
 * 3.2.2.4.4).
 */
const RESERVED = new Set(
  `abuse account accounts admin administrator api app assets auth authsec autoconfig autodiscover billing blog cdn cloud console dashboard default dns
  docs download email ftp help home hostmaster idp imap info internal invalid localhost login logout mail metrics mta-sts mx noc none null oauth oidc openid
  operator owner platform pop postmaster production public register root saml scim security server smtp spiffe spire sso staging static status support system
  tenant tenants undefined webmaster well-known wpad www`.split(/\s+/),
)

const LABEL = /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/
const MOST_CHARACTERS = 253

/**
 * The full domain of a tenant in lower case, with the suffix appended when missing. Undefined unless the part before the suffix is one label of 3 to
 * 63 letters, digits and hyphens that begins with a letter, does not end with a hyphen and is not reserved.
 */
export const normaliseTenantDomain = (text: string, suffix: string): string | undefined => {
  const typed = text.trim()
  // Checked before lower-casing, which turns some letters of other scripts (the Kelvin sign) into ASCII.
  if (/[^a-zA-Z0-9.-]/.test(typed)) return undefined
  const domain = typed.toLowerCase()
  const ending = `.${suffix.toLowerCase().replace(/^\.+/, '')}`
  const label = domain.endsWith(ending) ? domain.slice(0, -ending.length) : domain
  // "??--" marks encoded labels (RFC 5891 section 4.2.3.1), which can imitate any name.
  if (!LABEL.test(label) || label.slice(2, 4) === '--' || RESERVED.has(label)) return undefined
  const full = `${label}${ending}`
  return full.length <= MOST_CHARACTERS ? full : undefined
}
