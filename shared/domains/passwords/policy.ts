// Rules for new passwords. Sign-in only requires a non-empty password, because an old one may break these rules.
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { PASSWORD_LENGTH } from '#shared/platform/crypto/password-length'
import type { BreachedPasswords } from './breached.ts'
import { comparableForms, foldedText, lettersOnly, repeatingUnit, wordCore } from './comparable-forms.ts'

export type NewPassword = {
  readonly password: string
  readonly secondFactorRequired: boolean
  readonly email?: string
  readonly name?: string
  readonly tenantDomain?: string
  /** The path of the password's member, for the error. */
  readonly field?: string
}

const MIN_PERSONAL_WORD = 3

/** The person's own words: the address and its parts, the labels of its domain and of the tenant's, the name and its parts. */
const personalWords = ({ email, name, tenantDomain }: NewPassword): ReadonlySet<string> => {
  const [local, domain] = [email?.split('@')[0], email?.split('@')[1]]
  const whole = [email, local, domain, name, tenantDomain].filter((text) => text !== undefined).map(foldedText)
  const parts = [...whole, ...whole.flatMap((text) => [...text.split(/[@.]/), ...text.split(/[^\p{L}\p{M}\p{N}]+/u)])]
  const words = parts.flatMap((text) => [text, wordCore(text), lettersOnly(text)])
  return new Set(words.filter((word) => word.length >= MIN_PERSONAL_WORD))
}

/** Whether the password consists only of the person's own words, doubled or padded with digits and symbols. */
const isPersonal = (password: NewPassword): boolean => {
  const own = personalWords(password)
  for (const form of comparableForms(password.password)) {
    const letters = lettersOnly(form)
    if (own.has(form) || own.has(letters) || own.has(repeatingUnit(letters))) return true
  }
  return false
}

/**
 * Refuses guessable passwords (NIST SP 800-63B-4 section 3.1.1.2): by length, the person's own words and lists of breached ones. There are no composition rules.
 * Null characters and lone surrogates are refused, because hash functions and databases treat them differently.
 * @throws AppError invalid_request, password_too_short, password_too_long, password_guessable, password_breached
 */
export const checkNewPassword = async (given: NewPassword, breached: BreachedPasswords): Promise<void> => {
  const refuse = (code: ErrorCode, detail?: string): never => {
    throw new AppError(code, detail, { field: given.field ?? 'body.password' })
  }
  const { password, secondFactorRequired } = given
  if (/\0|\p{Surrogate}/u.test(password)) refuse('invalid_request', 'The password contains an invalid character.')
  const length = [...password.normalize('NFC')].length
  const minLength = secondFactorRequired ? PASSWORD_LENGTH.withSecondFactor : PASSWORD_LENGTH.alone
  if (length < minLength) refuse('password_too_short', `The password must have at least ${minLength} characters.`)
  if (length > PASSWORD_LENGTH.most) refuse('password_too_long')
  if (isPersonal(given)) refuse('password_guessable')
  if (await breached.has(password)) refuse('password_breached')
}
