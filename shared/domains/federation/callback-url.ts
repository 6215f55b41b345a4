/** The redirect URI to register with every provider. */
export const callbackUrl = (base: string): string => `${base}/authsec/uflow/oidc/callback`
