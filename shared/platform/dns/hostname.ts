// Names of hosts, strictly: what somebody claims must be a name that only its holder can put records under.
import { domainToASCII } from 'node:url'

/** Letters, digits and inner hyphens (RFC 1123 section 2.1); an underscore is for services, not for hosts. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const TYPED = /^[\p{L}\p{M}\p{N}.-]+$/u
/** The longest name that still leaves room for the label below which the proof stands (RFC 1035 section 2.3.4). */
const MOST_CHARACTERS = 253 - '_authsec-challenge.'.length

/** Names that are never somebody's (RFC 6761, RFC 3172). What only an organisation's own servers know may be proved where DNS_SERVERS names them. */
const SPECIAL = /(?:^|\.)(?:arpa|invalid|localhost|onion)$/

/** Second levels under which a country's registry sells names, as most name them. Not the public suffix list, which has thousands. */
const SHARED_LEVEL = /^(?:ac|co|com|edu|gob|gov|govt|gv|go|mil|ne|net|nom|or|org|sch)\.[a-z]{2}$/

/**
 * Trimmed, lower case, in ASCII (RFC 5891), without a dot at its end. Undefined for what is no name of a host, for a single label, an address, a name that
 * nobody can hold, and one that many share.
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

/** Whether a name is another's, or stands below it. */
export const isWithinDomain = (name: string, domain: string): boolean => name === domain || name.endsWith(`.${domain}`)
