// Namespaces of SAML 2.0, and the refusal of a response.
import { XmlRefusal } from '#shared/platform/xml/strict-xml'

/** Why a response is refused: for the log, never for the caller. Unreadable XML is an `XmlRefusal`. */
export class SamlRefusal extends XmlRefusal {}
export const refuseSaml = (reason: string, cause?: unknown): never => {
  throw new SamlRefusal(reason, cause)
}

export const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol'
export const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
export const XENC = 'http://www.w3.org/2001/04/xmlenc#'
