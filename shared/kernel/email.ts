// Normalises e-mail addresses: one spelling for look-up, storage and sending. Mail goes to the normalised address, never to the text that was typed:
// two spellings of one account must reach one mailbox.
import { domainToASCII } from 'node:url'
import * as z from 'zod'

const MOST_OCTETS = 254 // RFC 5321 section 4.5.3.1.3, less the angle brackets
const MOST_LOCAL_OCTETS = 64 // section 4.5.3.1.1
const MOST_TYPED = 320

const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u
/** Part of a dot-atom (RFC 5322 section 3.2.3), with letters and digits of any script (RFC 6531 section 3.3). */
const ATOM = /^[\w!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]+$/u
const TYPED_DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

const lower = (text: string): string => text.normalize('NFC').toLowerCase().normalize('NFC')
const octets = (text: string): number => Buffer.byteLength(text)

const asciiDomain = (typed: string): string | undefined => {
  if (!TYPED_DOMAIN.test(typed)) return undefined
  const labels = domainToASCII(typed).split('.')
  // At least two labels, the last of which is not a number: that would be an IPv4 address.
  if (labels.length < 2 || /^\d/.test(labels.at(-1) ?? '') || !labels.every((label) => LABEL.test(label))) return undefined
  return labels.join('.')
}

/**
 * Trims, applies NFC and lower case (locale-independent: a Turkish dotless i stays one) and converts the domain to ASCII (RFC 5891). A tag after `+`
 * stays, because its meaning belongs to the mailbox's provider. Returns undefined for text that is not an address; quoted local parts and address
 * literals are refused. Idempotent.
 */
export const normaliseEmail = (text: string): string | undefined => {
  if (text.length > MOST_TYPED) return undefined
  const typed = lower(text.trim())
  // Checked before the mapping to ASCII, which silently drops invisible characters.
  if (IGNORABLE.test(typed)) return undefined
  const [local, host, ...more] = typed.split('@')
  if (local === undefined || host === undefined || more.length > 0) return undefined
  if (octets(local) > MOST_LOCAL_OCTETS || !local.split('.').every((atom) => ATOM.test(atom))) return undefined
  const domain = asciiDomain(host)
  if (domain === undefined) return undefined
  const address = `${local}@${domain}`
  return octets(address) <= MOST_OCTETS ? address : undefined
}

/** A normalised address in a body. `overwrite` keeps the schema's type, so that it can be documented. */
export const Email = z
  .string()
  .overwrite((text) => normaliseEmail(text) ?? text)
  .refine((text) => normaliseEmail(text) === text, 'not an e-mail address')
  .meta({ format: 'email' })
