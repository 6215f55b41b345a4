// Authorization details (RFC 9396): parsed, compared, and never widened. Pure. Validation against their types: validate-details.ts.

import type { AuthorizationDetail, DetailLimit, DetailType } from '#db/store/oauth-details'
import { canonicalJson } from '#shared/kernel/canonical-json'
import { AppError } from '#shared/kernel/errors'
import { sha256 } from '#shared/platform/crypto/sha256'

export type Details = readonly AuthorizationDetail[]
type Json = Readonly<Record<string, unknown>>

export const MOST_DETAILS = 20
/** The limit for all details in canonical form, because every token contains them. */
const MOST_BYTES = 3000
const DEEPEST = 8
/** Member names with a special meaning in JavaScript objects. */
export const UNSAFE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

const refused = (why?: string): AppError => new AppError('invalid_authorization_details', why)
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

export const detailHash = (detail: AuthorizationDetail): Uint8Array => sha256(canonicalJson(detail))
const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b)

const countMembers = (value: unknown, depth = 0): number => {
  if (depth > DEEPEST) throw refused('authorization_details are too deep.')
  if (typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))))
    throw refused('A number is too large to be exact.')
  if (typeof value === 'string' && (!value.isWellFormed() || value.includes('\0'))) throw refused('A string is not well-formed.')
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + countMembers(one, depth + 1), 0)
  if (!isObject(value)) return 0
  return Object.entries(value).reduce((sum, [name, one]) => {
    if (UNSAFE_NAMES.has(name)) throw refused('A name is not allowed.')
    return sum + 1 + countMembers(one, depth + 1)
  }, 0)
}

/** A duplicate member is in the text and not in the parsed value, so two parsers may see different values (RFC 8725 section 2.4). */
const membersIn = (text: string): number => [...text.matchAll(/"(?:[^"\\]|\\.)*"|:/g)].filter(([token]) => token === ':').length

/** @throws AppError invalid_authorization_details */
export const parseDetails = (text: string | undefined): Details | undefined => {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refused('authorization_details is not JSON.')
  }
  return detailsIn(value, text)
}

/** @throws AppError invalid_authorization_details */
export const detailsIn = (value: unknown, text?: string): Details => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_DETAILS)
    throw refused(`An array of one to ${MOST_DETAILS} objects is needed.`)
  if (value.some((one) => !isObject(one) || typeof one.type !== 'string')) throw refused('Every object needs a type.')
  const members = countMembers(value)
  if (text !== undefined && membersIn(text) !== members) throw refused('A member is repeated.')
  const details = value as Details
  if (Buffer.byteLength(canonicalJson(details)) > MOST_BYTES) throw refused(`All details together are more than ${MOST_BYTES} bytes.`)
  if (new Set(details.map(canonicalJson)).size < details.length) throw refused('A detail is repeated.')
  return details
}

/** Arrays are sets: a part may contain no new element, and must not be empty, because an empty list may mean everything. */
const isPart = (child: readonly unknown[], parent: readonly unknown[]): boolean => {
  const among = new Set(parent.map(canonicalJson))
  return (child.length > 0 || parent.length === 0) && child.every((one) => among.has(canonicalJson(one)))
}

const isWithinValue = (child: unknown, parent: unknown): boolean => {
  if (Array.isArray(child) && Array.isArray(parent)) return isPart(child, parent)
  if (!isObject(child) || !isObject(parent)) return same(child, parent)
  const names = Object.keys(parent)
  return Object.keys(child).length === names.length && names.every((name) => Object.hasOwn(child, name) && isWithinValue(child[name], parent[name]))
}

/** Whether a detail is within another: the same members, subsets, limits that are no higher, everything else equal. */
export const isWithin = (child: AuthorizationDetail, parent: AuthorizationDetail, limits: readonly DetailLimit[]): boolean => {
  const limiting = new Set(limits.map(({ member }) => member))
  const names = Object.keys(parent)
  if (child.type !== parent.type || Object.keys(child).length !== names.length) return false
  return names.every((name) => {
    if (!Object.hasOwn(child, name)) return false
    const [a, b] = [child[name], parent[name]]
    return limiting.has(name) ? typeof a === 'number' && typeof b === 'number' && a <= b : isWithinValue(a, b)
  })
}

export const limitsOf = (types: readonly DetailType[], type: string): readonly DetailLimit[] =>
  types.find((known) => known.type === type)?.limits ?? []

/**
 * For each requested detail the granted one that it is within.
 * @throws AppError invalid_authorization_details when there is none
 */
export const narrowedDetails = (
  requested: Details,
  held: Details,
  types: readonly DetailType[],
): readonly { detail: AuthorizationDetail; of: AuthorizationDetail }[] =>
  requested.map((detail) => {
    const of = held.find((one) => isWithin(detail, one, limitsOf(types, detail.type)))
    if (of === undefined) throw refused('This is more than was granted.')
    return { detail, of }
  })

/** Selects some of the granted details, unchanged. @throws AppError invalid_authorization_details */
export const selectedDetails = (requested: Details | undefined, held: Details): Details => {
  if (requested?.some((detail) => !held.some((one) => same(one, detail)))) throw refused('Only granted details can be selected, unchanged.')
  return requested ?? held
}

/** For the audit log. */
export const auditedDetails = (details: Details = []) => (details.length === 0 ? {} : { authorization_details: details })

/** The consumable amount of a detail. */
export type Limits = {
  readonly calls: number | undefined
  readonly amount: number | undefined
  readonly currency: string | undefined
  readonly until: Date | undefined
}
/** Undefined when there is no limit. */
export const limitsIn = (detail: AuthorizationDetail, limits: readonly DetailLimit[]): Limits | undefined => {
  if (limits.length === 0) return undefined
  const setBy = (kind: DetailLimit['kind']): number | undefined => {
    const member = limits.find((limit) => limit.kind === kind)?.member
    return member === undefined ? undefined : (detail[member] as number)
  }
  const currencyMember = limits.find(({ kind }) => kind === 'amount')?.currency_member
  const until = setBy('until')
  return {
    calls: setBy('calls'),
    amount: setBy('amount'),
    currency: currencyMember === undefined ? undefined : String(detail[currencyMember]),
    until: until === undefined ? undefined : new Date(until * 1000),
  }
}
