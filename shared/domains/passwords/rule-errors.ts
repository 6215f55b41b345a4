// The errors of a refused password.
import type { ErrorCode } from '#shared/kernel/errors'

export const PASSWORD_RULE_ERRORS: readonly ErrorCode[] = ['password_too_short', 'password_too_long', 'password_guessable', 'password_breached']
