/** How long a domain claim may stay unproved. At least as long as the policy of the jobs role: db/migrations/policies.ts. */
export const CLAIM_SECONDS = 7 * 24 * 3600
