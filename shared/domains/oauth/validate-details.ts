// Validates authorization details against the types that the tenant registered.
import type { AuthorizationDetail, DetailLimit, DetailType } from '#db/store/oauth-details'
import { AppError } from '#shared/kernel/errors'
import { conformsTo } from './detail-schema.ts'
import type { Details } from './details.ts'

/** ISO 4217 */
const CURRENCY = /^[A-Z]{3}$/
const LATEST_SECONDS = 253_402_300_799

const refused = (why: string): AppError => new AppError('invalid_authorization_details', why)

const judgeLimit = (detail: AuthorizationDetail, { member, kind, currency_member: currency = '' }: DetailLimit): void => {
  const value = detail[member]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw refused(`${member} must be a whole number.`)
  if (kind === 'until' && value > LATEST_SECONDS) throw refused(`${member} is too far.`)
  if (kind === 'amount' && !CURRENCY.test(String(detail[currency]))) throw refused(`${currency} must be a currency of ISO 4217.`)
}

/**
 * Checks that each detail has a type that the tenant registered for that resource server, and matches its schema.
 * @throws AppError invalid_authorization_details
 */
export const validateDetails = (details: Details, types: readonly DetailType[], resourceServerId: string | undefined): void => {
  const known = new Map(types.map((type) => [type.type, type]))
  for (const detail of details) {
    const type = known.get(detail.type)
    const isHere = type !== undefined && (type.resourceServerId === null || type.resourceServerId === resourceServerId)
    if (type === undefined || !isHere) throw refused(`The type ${detail.type.slice(0, 100)} is not known here.`)
    if (!conformsTo(type.jsonSchema, detail)) throw refused(`A detail of the type ${detail.type.slice(0, 100)} is not as its schema says.`)
    for (const limit of type.limits) judgeLimit(detail, limit)
  }
}
