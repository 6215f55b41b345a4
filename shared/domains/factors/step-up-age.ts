/** How recent a sign-in must be to change factors or a tenant's factor policy, in seconds. */
export const STEP_UP_SECONDS = 15 * 60

/** How recent a sign-in must be to approve a session on another device, in seconds. */
export const APPROVAL_SECONDS = 5 * 60
