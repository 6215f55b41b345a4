// Builds an authentication request for the HTTP-Redirect binding (SAML 2.0 Bindings section 3.4), signed with our key.
import { SAML } from '@node-saml/node-saml'

export type AuthnRequestInput = {
  readonly ssoUrl: string
  readonly entityId: string
  readonly acsUrl: string
  readonly nameIdFormat: string
  readonly id: string
  readonly relayState: string
  /** PKCS #8; without a key the request is unsigned. */
  readonly privateKey: string | undefined
}
export type AuthnRequest = { readonly url: string; readonly samlRequest: string }

/** The library uses the system clock. IssueInstant is informational for the provider; nothing here depends on it. */
export const authnRequest = async (asking: AuthnRequestInput): Promise<AuthnRequest> => {
  const saml = new SAML({
    entryPoint: asking.ssoUrl,
    issuer: asking.entityId,
    callbackUrl: asking.acsUrl,
    identifierFormat: asking.nameIdFormat,
    allowCreate: true,
    disableRequestedAuthnContext: true,
    generateUniqueId: () => asking.id,
    signatureAlgorithm: 'sha256',
    // Required by the library but unused: responses are verified in response.ts.
    idpCert: 'unused',
    ...(asking.privateKey === undefined ? {} : { privateKey: asking.privateKey }),
  })
  const url = await saml.getAuthorizeUrlAsync(asking.relayState, undefined, {})
  return { url, samlRequest: new URL(url).searchParams.get('SAMLRequest') ?? '' }
}
