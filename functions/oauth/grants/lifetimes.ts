// How long a family of refresh tokens counts: a month, or as long as any session.
const DAY = 24 * 3600
export const OFFLINE_SECONDS = 30 * DAY
export const ONLINE_SECONDS = DAY
