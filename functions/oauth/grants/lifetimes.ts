// How long a family of refresh tokens is valid: 30 days with offline_access, else as long as a session can last.
const DAY = 24 * 3600
export const OFFLINE_SECONDS = 30 * DAY
export const ONLINE_SECONDS = DAY
