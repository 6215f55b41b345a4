/** Where providers send the browser back to: registered with each of them. */
export const callbackUrl = (base: string): string => `${base}/authsec/uflow/oidc/callback`
