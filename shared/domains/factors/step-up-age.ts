/** How recent a sign-in must be to change factors or a tenant's factor policy, in seconds. */
export const STEP_UP_SECONDS = 15 * 60
