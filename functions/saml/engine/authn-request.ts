// Asks an identity provider who somebody is: a request by the redirect binding (SAML 2.0 Bindings section 3.4), signed with our key.
import { SAML } from '@node-saml/node-saml'

export type AuthnRequestInput = {
  readonly ssoUrl: string
  readonly entityId: string
  readonly acsUrl: string
  readonly nameIdFormat: string
  readonly id: string
  readonly relayState: string
  /** PKCS #8; without one the request is not signed. */
  readonly privateKey: string | undefined
}
export type AuthnRequest = { readonly url: string; readonly samlRequest: string }

/** The library's clock is the machine's: the moment in the request is for the provider, nothing here depends on it. */
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
    // Asked for, and used by nothing here: answers are verified in response.ts.
    idpCert: 'unused',
    ...(asking.privateKey === undefined ? {} : { privateKey: asking.privateKey }),
  })
  const url = await saml.getAuthorizeUrlAsync(asking.relayState, undefined, {})
  return { url, samlRequest: new URL(url).searchParams.get('SAMLRequest') ?? '' }
}
