// Decides whether a verified assertion is addressed to us, valid now, and answers our request (SAML 2.0 Profiles section 4.1.4.3). Pure, with our own clock.

import { attributeOf, childrenOf, elementsIn, isElementNamed, maybeChild, onlyChild, textOf } from '#shared/platform/xml/strict-xml'
import { refuseSaml, SAML, SAMLP } from './names.ts'
import type { VerifiedResponse } from './response.ts'

const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success'
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const ENTITY = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity'
const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
const SKEW_MS = 60_000
const MOST_NAME_ID = 255
/** Maximum age of an IdP-initiated response. */
const FRESH_MS = 300_000

export type ExpectedAssertion = {
  /** The provider's entity id. */
  readonly issuer: string
  /** Our entity id. */
  readonly audience: string
  readonly acsUrls: readonly string[]
  /** The request that it must answer; undefined for an IdP-initiated response. */
  readonly request: { readonly id: string; readonly at: Date } | undefined
  readonly now: Date
}

export type ValidatedAssertion = {
  readonly assertionId: string
  /** When the assertion is no longer valid anywhere, and need not be remembered. */
  readonly until: Date
  readonly nameId: string
  readonly nameIdFormat: string | undefined
  readonly contexts: readonly string[]
  readonly attributes: ReadonlyMap<string, readonly string[]>
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/
const momentOf = (text: string): number => {
  const at = MOMENT.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? refuseSaml('moment') : at
}
const maybeMoment = (element: Element, name: string): number | undefined => {
  const text = attributeOf(element, name)
  return text === undefined ? undefined : momentOf(text)
}

const requireWindow = (element: Element, now: number): number | undefined => {
  const [from, until] = [maybeMoment(element, 'NotBefore'), maybeMoment(element, 'NotOnOrAfter')]
  if (from !== undefined && now + SKEW_MS < from) refuseSaml('not_yet_valid')
  if (until !== undefined && now - SKEW_MS >= until) refuseSaml('expired')
  return until
}

const requireIssuer = (issuer: Element, expected: string): void => {
  if ((attributeOf(issuer, 'Format') ?? ENTITY) !== ENTITY || textOf(issuer) !== expected) refuseSaml('issuer')
}

const requireStatus = (response: Element): void => {
  const code = onlyChild(onlyChild(response, SAMLP, 'Status'), SAMLP, 'StatusCode')
  if (attributeOf(code, 'Value') !== SUCCESS) refuseSaml('status')
}

/** Attributes of the message. It may be unsigned, so these checks can only refuse. */
const requireMessage = ({ response, isResponseSigned }: VerifiedResponse, { issuer, acsUrls, request }: ExpectedAssertion): void => {
  if (attributeOf(response, 'Version') !== '2.0') refuseSaml('version')
  requireStatus(response)
  const reported = maybeChild(response, SAML, 'Issuer')
  if (reported !== undefined) requireIssuer(reported, issuer)
  const destination = attributeOf(response, 'Destination')
  // Core section 3.2.2: a signed message names it.
  if (destination === undefined ? isResponseSigned : !acsUrls.includes(destination)) refuseSaml('destination')
  if (attributeOf(response, 'InResponseTo') !== request?.id) refuseSaml('in_response_to')
}

const requireIssued = (assertion: Element, { request, now }: ExpectedAssertion): void => {
  const at = momentOf(attributeOf(assertion, 'IssueInstant') ?? '')
  if (at > now.getTime() + SKEW_MS) refuseSaml('not_yet_valid')
  if (at < (request === undefined ? now.getTime() - FRESH_MS : request.at.getTime()) - SKEW_MS) refuseSaml('too_old')
}

/** An unknown condition makes the assertion invalid (Core section 2.5.1). */
const CONDITIONS: ReadonlySet<string> = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'])

const requireConditions = (assertion: Element, { audience, now }: ExpectedAssertion): number | undefined => {
  const conditions = onlyChild(assertion, SAML, 'Conditions')
  const until = requireWindow(conditions, now.getTime())
  if (!elementsIn(conditions).every((one) => one.namespaceURI === SAML && CONDITIONS.has(one.localName))) refuseSaml('condition_unknown')
  const restrictions = childrenOf(conditions, SAML, 'AudienceRestriction')
  if (restrictions.length === 0) refuseSaml('audience')
  for (const restriction of restrictions) {
    if (!childrenOf(restriction, SAML, 'Audience').some((one) => textOf(one) === audience)) refuseSaml('audience')
  }
  return until
}

/** Checks one confirmation and returns when it expires. */
const requireConfirmation = (confirmation: Element, { acsUrls, request, now }: ExpectedAssertion): number => {
  if (attributeOf(confirmation, 'Method') !== BEARER) refuseSaml('confirmation_method')
  const data = onlyChild(confirmation, SAML, 'SubjectConfirmationData')
  if (!acsUrls.includes(attributeOf(data, 'Recipient') ?? '')) refuseSaml('recipient')
  if (attributeOf(data, 'InResponseTo') !== request?.id) refuseSaml('in_response_to')
  return requireWindow(data, now.getTime()) ?? refuseSaml('never_expires')
}

const CONTROL = /[\p{Cc}\p{Cs}]/u

const readSubject = (assertion: Element, expected: ExpectedAssertion) => {
  const subject = onlyChild(assertion, SAML, 'Subject')
  const until = requireConfirmation(onlyChild(subject, SAML, 'SubjectConfirmation'), expected)
  const name = onlyChild(subject, SAML, 'NameID')
  const [nameId, nameIdFormat] = [textOf(name), attributeOf(name, 'Format')]
  if (nameId === '' || nameId.length > MOST_NAME_ID || CONTROL.test(nameId)) refuseSaml('name_id')
  // A transient identifier would name a different person at the next sign-in.
  if (nameIdFormat === TRANSIENT) refuseSaml('name_id_transient')
  return { nameId, nameIdFormat, until }
}

const readContexts = (assertion: Element, now: Date): string[] => {
  const statements = childrenOf(assertion, SAML, 'AuthnStatement')
  if (statements.length === 0) refuseSaml('authn_statement')
  return statements.flatMap((statement) => {
    const over = maybeMoment(statement, 'SessionNotOnOrAfter')
    if (over !== undefined && now.getTime() - SKEW_MS >= over) refuseSaml('session_over')
    if (momentOf(attributeOf(statement, 'AuthnInstant') ?? '') > now.getTime() + SKEW_MS) refuseSaml('not_yet_valid')
    return childrenOf(statement, SAML, 'AuthnContext').flatMap((context) => childrenOf(context, SAML, 'AuthnContextClassRef').map(textOf))
  })
}

/** Attribute values that are plain text; other values are ignored. */
const readAttributes = (assertion: Element): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, readonly string[]>()
  for (const attribute of childrenOf(assertion, SAML, 'AttributeStatement').flatMap((one) => childrenOf(one, SAML, 'Attribute'))) {
    const values = childrenOf(attribute, SAML, 'AttributeValue').filter((value) => elementsIn(value).length === 0)
    const name = attributeOf(attribute, 'Name') ?? ''
    found.set(name, [...(found.get(name) ?? []), ...values.map(textOf)])
  }
  return found
}

/** @throws XmlRefusal */
export const validateAssertion = (verified: VerifiedResponse, expected: ExpectedAssertion): ValidatedAssertion => {
  const { assertion } = verified
  requireMessage(verified, expected)
  if (!isElementNamed(assertion, SAML, 'Assertion') || attributeOf(assertion, 'Version') !== '2.0') refuseSaml('version')
  requireIssuer(onlyChild(assertion, SAML, 'Issuer'), expected.issuer)
  const { nameId, nameIdFormat, until } = readSubject(assertion, expected)
  const conditionsEnd = requireConditions(assertion, expected)
  requireIssued(assertion, expected)
  const assertionId = attributeOf(assertion, 'ID') ?? ''
  if (assertionId === '') refuseSaml('assertion_id')
  return {
    assertionId,
    until: new Date(Math.max(until, conditionsEnd ?? until) + SKEW_MS),
    nameId,
    nameIdFormat,
    contexts: readContexts(assertion, expected.now),
    attributes: readAttributes(assertion),
  }
}
