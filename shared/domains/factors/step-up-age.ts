// How recent a sign-in has to be for a change of factors, and of what a tenant asks of them.
export const STEP_UP_SECONDS = 15 * 60
