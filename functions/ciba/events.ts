// Events and errors that the platform and the tenant routes share.
export const CIBA_REQUEST_EVENTS = ['ciba.requested', 'ciba.failed'] as const
export const CIBA_DECISION_EVENTS = ['ciba.approved', 'ciba.denied'] as const
export const CIBA_REDEMPTION_EVENTS = ['ciba.redeemed', 'ciba.denied', 'session.created', 'user.signed_in'] as const
export const POLL_ERRORS = ['authorization_pending', 'slow_down', 'expired_token', 'access_denied', 'authorization_denied', 'quota_exceeded'] as const
