/** A claim of a domain that is not proved by then is over. Not shorter than the policy of the jobs role: db/migrations/policies.ts. */
export const CLAIM_SECONDS = 7 * 24 * 3600
