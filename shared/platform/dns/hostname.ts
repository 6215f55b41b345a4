// Strict validation of host names: a claimed domain must be a name below which only its owner can add records.
import { domainToASCII } from 'node:url'

/** Letters, digits and inner hyphens (RFC 1123 section 2.1); underscores are for services, not hosts. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const TYPED = /^[\p{L}\p{M}\p{N}.-]+$/u
/** The longest name that leaves room for the challenge label (RFC 1035 section 2.3.4). */
const MOST_CHARACTERS = 253 - '_authsec-challenge.'.length

/** Names that have no owner (RFC 6761, RFC 3172). Internal names can be verified when DNS_SERVERS points to their name servers. */
const SPECIAL = /(?:^|\.)(?:arpa|invalid|localhost|onion)$/

/** Second levels below which country registries commonly sell names. Not the public suffix list, which has thousands. */
const SHARED_LEVEL = /^(?:ac|co|com|edu|gob|gov|govt|gv|go|mil|ne|net|nom|or|org|sch)\.[a-z]{2}$/

/**
 * Normalises a host name: trimmed, lower case, ASCII (RFC 5891), without a final dot. Undefined for text that is not a host name, a single label, an
 * address, a name without an owner, and a shared suffix.
 */
export const hostnameOf = (text: string): string | undefined => {
  const typed = text.trim().replace(/\.$/, '')
  if (typed.length > 1000 || !TYPED.test(typed)) return undefined
  const name = domainToASCII(typed.toLowerCase())
  const labels = name.split('.')
  const last = labels.at(-1) ?? ''
  if (labels.length < 2 || name.length > MOST_CHARACTERS || /^\d/.test(last) || !labels.every((label) => LABEL.test(label))) return undefined
  return SPECIAL.test(name) || SHARED_LEVEL.test(name) ? undefined : name
}

/** Whether a name equals the domain or is below it. */
export const isWithinDomain = (name: string, domain: string): boolean => name === domain || name.endsWith(`.${domain}`)
