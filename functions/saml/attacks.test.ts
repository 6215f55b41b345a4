// Impersonation through SAML: forged, wrapped, replayed and misdirected responses. Each is refused and recorded, and changes nothing.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Person } from '#tests/support/app'
import { identitiesOf, refusalsOf } from '#tests/support/federation'
import { addSamlProvider, type Saml, type SamlBrowser, samlBrowser, samlStateOf, startSaml } from '#tests/support/saml'
import {
  type AssertionContent,
  assertionXml,
  base64,
  encrypted,
  hmacSignedXml,
  keyPair,
  type Pair,
  type ReceivedAuthnRequest,
  responseXml,
  type Signing,
  signedXml,
} from '#tests/support/saml-idp'
import { WRAPPINGS, wrapped } from '#tests/support/saml-wrapping'
import { bodyOf } from '#tests/support/sign-in'
import { federationRoutes } from '../federation/routes.ts'
import { samlRoutes } from './routes.ts'

let world: Saml
let victim: Person
let browser: SamlBrowser
let request: ReceivedAuthnRequest
let stranger: Pair
beforeAll(async () => {
  world = await startSaml([...samlRoutes, ...federationRoutes])
  victim = await world.app.person(world.company)
  await world.link(victim, 'victim')
  await world.link(await world.app.person(world.company), 'attacker')
  stranger = await keyPair('stranger')
})
beforeEach(async () => {
  // Refusals within one minute are counted in one event.
  world.app.clock.advance(61)
  browser = samlBrowser(world.app)
  request = await world.begin(browser)
})

const attacker = { nameId: 'attacker' }
const plus = (seconds: number): Date => new Date(world.app.clock.now().getTime() + seconds * 1000)
const why = (): unknown => JSON.parse(world.app.log.lines.findLast((line) => line.includes('"saml.refused"')) ?? '{}').reason

/** Posts the response and checks that the company's rows and successful events are unchanged and the request is still pending. */
const refusedWith = async (xml: string, reason: string | RegExp | readonly string[], from = browser): Promise<void> => {
  const { app, company } = world
  const before = [await samlStateOf(app, company), await identitiesOf(app, victim)]
  const refusals = (await refusalsOf(app, company.tenantId)).length
  const response = await world.land(from, request, xml)
  const body = await bodyOf(response)
  expect([response.status, body.code]).toEqual([400, 'saml_response_invalid'])
  expect(body).toEqual({
    success: false,
    error: 'Invalid SAML response. Please start again.',
    message: 'Invalid SAML response. Please start again.',
    code: 'saml_response_invalid',
    request_id: expect.any(String),
  })
  expect(response.headers.getSetCookie()).toEqual([])
  expect([await samlStateOf(app, company), await identitiesOf(app, victim)]).toEqual(before)
  if (Array.isArray(reason)) expect(reason).toContain(why())
  else expect(why()).toEqual(reason instanceof RegExp ? expect.stringMatching(reason) : reason)
  expect((await refusalsOf(app, company.tenantId)).length).toBe(refusals + 1)
  app.clock.advance(61)
}

const honest = (more: Partial<AssertionContent> = {}): string => world.answer(request, more)
const signing = (more: Partial<Signing>, reported = world.saying(request, attacker)): string =>
  responseXml(reported, signedXml(assertionXml(reported), 'Assertion', { key: world.key, ...more }))
const bothSigned = (reported = world.saying(request, attacker)): string =>
  signedXml(responseXml(reported, assertionXml(reported)), 'Response', { key: world.key })

test('accepts the unmodified response with a signed assertion or a signed message', async () => {
  expect((await world.land(browser, request, honest())).status).toBe(200)
  request = await world.begin(browser)
  expect((await world.land(browser, request, bothSigned())).status).toBe(200)
})

describe('refuses signature wrapping', () => {
  test.each(WRAPPINGS)('shape %i', async (shape) => {
    const whole = shape <= 2 ? bothSigned() : honest(attacker)
    await refusedWith(wrapped(whole, shape, 'victim'), /^(not_one_assertion|signature_form|signature_place|signature_reference|id_twice)$/)
  })

  test.each(WRAPPINGS)('shape %i, with the copy under the same id', async (shape) => {
    const whole = shape <= 2 ? bothSigned() : honest(attacker)
    const id = /<saml:Assertion[^>]* ID="([^"]+)"/.exec(whole)?.[1] ?? ''
    await refusedWith(wrapped(whole, shape, 'victim').replace('"_evil"', `"${id}"`), /^(id_twice|not_one_assertion|signature_\w+)$/)
  })

  test('refuses a second Assertion element in another namespace', async () => {
    const forged = honest(attacker).replace('</samlp:Response>', '<x:Assertion xmlns:x="urn:x" ID="_x">victim</x:Assertion></samlp:Response>')
    await refusedWith(forged, 'not_one_assertion')
  })
})

describe('reads only what was signed: refuses', () => {
  test('a changed name', async () => {
    await refusedWith(honest(attacker).replace('>attacker<', '>victim<'), 'signature')
  })

  test('a name with a comment, signed by the provider', async () => {
    await refusedWith(honest({ nameIdXml: 'victim<!-- -->.attacker' }), 'markup')
    await refusedWith(honest({ nameIdXml: 'victim<!---->' }), 'markup')
  })

  test('a comment that was inserted after signing and that canonicalization drops', async () => {
    await refusedWith(honest({ nameId: 'victim.attacker' }).replace('victim.attacker', 'victim<!---->.attacker'), 'markup')
  })

  test('a name with CDATA or a processing instruction', async () => {
    await refusedWith(honest({ nameIdXml: 'victim<![CDATA[.attacker]]>' }), 'markup')
    await refusedWith(honest(attacker).replace('>attacker<', '>victim<?x?><'), 'markup')
  })

  test('an element inside the name', async () => {
    await refusedWith(honest({ nameIdXml: 'victim<x/>' }), 'not_text_NameID')
  })

  test('a comment inside the digest', async () => {
    await refusedWith(honest(attacker).replace('<ds:DigestValue>', '<ds:DigestValue><!--x-->'), 'markup')
  })

  test('two digests', async () => {
    await refusedWith(honest(attacker).replace('<ds:DigestValue>', '<ds:DigestValue>AAAA</ds:DigestValue><ds:DigestValue>'), 'signature_form')
  })
})

describe('refuses document types and entities', () => {
  const DOCTYPES = [
    ['an internal entity', '<!DOCTYPE r [<!ENTITY who "victim">]>', '&who;'],
    ['an external entity', '<!DOCTYPE r [<!ENTITY who SYSTEM "file:///etc/passwd">]>', '&who;'],
    ['an entity expansion bomb', '<!DOCTYPE r [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>', '&c;'],
    ['an empty document type', '<!DOCTYPE r>', 'victim'],
  ] as const
  test.each(DOCTYPES)('%s', async (_, doctype, name) => {
    await refusedWith(`${doctype}${honest(attacker).replace('>attacker<', `>${name}<`)}`, 'markup')
    await refusedWith(`<?xml version="1.0" encoding="UTF-8"?>${doctype}${honest(attacker)}`, 'markup')
  })

  test('an undeclared entity', async () => {
    await refusedWith(honest(attacker).replace('>attacker<', '>&who;<'), 'entity')
  })
})

describe('refuses a response whose signature', () => {
  test('is missing', async () => {
    const reported = world.saying(request, { nameId: 'victim' })
    await refusedWith(responseXml(reported, assertionXml(reported)), 'unsigned')
  })

  test('was made with another key and carries that key’s certificate', async () => {
    const forged = signing({ key: stranger }, world.saying(request, { nameId: 'victim' }))
    expect(forged).toContain('X509Certificate')
    await refusedWith(forged, 'signature')
  })

  test('is an empty value', async () => {
    await refusedWith(honest(attacker).replace(/<ds:SignatureValue>[^<]*</, '<ds:SignatureValue><'), 'signature')
  })

  test('is an element of another namespace', async () => {
    const reported = world.saying(request, { nameId: 'victim' })
    const empty = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'
    await refusedWith(responseXml(reported, assertionXml(reported).replace('</saml:Issuer>', `</saml:Issuer>${empty}`)), 'signature_form')
    await refusedWith(
      responseXml(reported, assertionXml(reported).replace('</saml:Issuer>', '</saml:Issuer><Signature xmlns="urn:x"/>')),
      'signature_place',
    )
  })

  test('uses SHA-1, in the signature or in the digest', async () => {
    await refusedWith(signing({ algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }), 'signature_algorithm')
    await refusedWith(signing({ digest: 'http://www.w3.org/2000/09/xmldsig#sha1' }), 'digest_algorithm')
  })

  test('uses HMAC with the certificate as its key', async () => {
    const reported = world.saying(request, { nameId: 'victim' })
    for (const secret of [world.key.certificate, world.key.certificate.replace(/-----[^-]+-----|\s/g, '')]) {
      await refusedWith(responseXml(reported, hmacSignedXml(assertionXml(reported), secret)), 'signature_algorithm')
    }
  })

  test('keeps comments in the canonical form, has other transforms or a second reference', async () => {
    const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
    const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
    await refusedWith(signing({ transforms: [ENVELOPED, `${EXCLUSIVE}WithComments`] }), 'transform')
    await refusedWith(signing({ transforms: [ENVELOPED] }), 'signature_form')
    await refusedWith(signing({ canonicalization: `${EXCLUSIVE}WithComments` }), 'canonicalization')
    const reference = /<ds:Reference[\s\S]*<\/ds:Reference>/.exec(honest(attacker))?.[0] ?? ''
    await refusedWith(honest(attacker).replace('</ds:SignedInfo>', `${reference}</ds:SignedInfo>`), 'signature_form')
  })

  test('refers to an element other than its parent', async () => {
    await refusedWith(honest(attacker).replace(/URI="#[^"]+"/, 'URI=""'), 'signature_reference')
    await refusedWith(honest(attacker).replace(/URI="#[^"]+"/, 'URI="#other"'), 'signature_reference')
  })

  test('appears twice', async () => {
    const signature = /<ds:Signature [\s\S]*<\/ds:Signature>/.exec(honest(attacker))?.[0] ?? ''
    await refusedWith(honest(attacker).replace('</ds:Signature>', `</ds:Signature>${signature}`), /^(not_one_Signature|id_twice)$/)
  })

  test('is valid for the message but invalid for the assertion inside', async () => {
    const reported = world.saying(request, attacker)
    const inner = signedXml(assertionXml(reported), 'Assertion', { key: stranger })
    await refusedWith(signedXml(responseXml(reported, inner), 'Response', { key: world.key }), 'signature')
  })

  test('was made with a certificate that has expired or is not valid yet', async () => {
    const { app, company } = world
    for (const [name, from, until] of [
      ['ended', '2025-01-01', '2026-02-01'],
      ['not begun', '2026-06-01', '2027-01-01'],
    ] as const) {
      const key = await keyPair(name, new Date(from), new Date(until))
      const at = await addSamlProvider(app, company, key)
      request = await world.begin(browser, at)
      await refusedWith(signing({ key }, world.saying(request, { issuer: at.entityId })), 'no_valid_certificate')
    }
  })

  test('does not cover the message, or the assertion, where the provider requires it', async () => {
    const { app, company, key } = world
    const messages = await addSamlProvider(app, company, key, { wantsResponseSigned: true })
    request = await world.begin(browser, messages)
    await refusedWith(honest({ issuer: messages.entityId }), 'response_unsigned')
    const assertions = await addSamlProvider(app, company, key, { wantsAssertionSigned: true })
    request = await world.begin(browser, assertions)
    await refusedWith(bothSigned(world.saying(request, { issuer: assertions.entityId })), 'assertion_unsigned')
  })
})

describe('refuses more than one assertion', () => {
  test('side by side, one of them signed', async () => {
    const reported = world.saying(request, attacker)
    const good = signedXml(assertionXml(reported), 'Assertion', { key: world.key })
    const forged = assertionXml(world.saying(request, { nameId: 'victim' }))
    await refusedWith(responseXml(reported, `${good}${forged}`), 'not_one_assertion')
    await refusedWith(responseXml(reported, `${forged}${good}`), 'not_one_assertion')
  })

  test('both signed; one plain and one encrypted; also none at all', async () => {
    const reported = world.saying(request, attacker)
    const one = () => signedXml(assertionXml(reported), 'Assertion', { key: world.key })
    await refusedWith(responseXml(reported, `${one()}${one()}`), 'not_one_assertion')
    await refusedWith(responseXml(reported, `${one()}${await encrypted(one(), stranger.certificate)}`), 'not_one_assertion')
    await refusedWith(responseXml(reported, ''), 'not_one_assertion')
    await refusedWith(signedXml(responseXml(reported, ''), 'Response', { key: world.key }), 'not_one_assertion')
  })
})

const CONTEXT: readonly (readonly [string, string, () => Partial<AssertionContent>])[] = [
  ['another recipient', 'recipient', () => ({ recipient: 'https://evil.example/acs' })],
  ['another client’s recipient', 'recipient', () => ({ recipient: request.acs.replace(world.company.clientId, victim.id) })],
  ['no recipient', 'recipient', () => ({ recipient: '' })],
  ['another destination', 'destination', () => ({ destination: 'https://evil.example/acs' })],
  ['another audience', 'audience', () => ({ audience: 'https://evil.example/metadata' })],
  ['the audience of another client', 'audience', () => ({ audience: request.issuer.replace(world.company.clientId, victim.id) })],
  ['no audience', 'audience', () => ({ withoutAudience: true })],
  [
    'a second audience restriction that excludes us',
    'audience',
    () => ({ conditions: '<saml:AudienceRestriction><saml:Audience>https://evil.example</saml:Audience></saml:AudienceRestriction>' }),
  ],
  ['an unknown condition', 'condition_unknown', () => ({ conditions: '<x:Condition xmlns:x="urn:x"/>' })],
  ['another issuer', 'issuer', () => ({ issuer: 'https://evil.example/metadata' })],
  ['another issuer in the message only', 'issuer', () => ({ responseIssuer: 'https://evil.example/metadata' })],
  ['expired', 'expired', () => ({ notOnOrAfter: plus(-61) })],
  ['no expiry', 'never_expires', () => ({ notOnOrAfter: undefined })],
  ['not yet valid', 'not_yet_valid', () => ({ notBefore: plus(61) })],
  ['issued in the future', 'not_yet_valid', () => ({ issuedAt: plus(120) })],
  ['issued before the request', 'too_old', () => ({ issuedAt: plus(-120) })],
  ['a session that has ended at the provider', 'session_over', () => ({ sessionEnds: plus(-61) })],
  ['a status other than success', 'status', () => ({ status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed' })],
  ['a response to another request', 'in_response_to', () => ({ inResponseTo: '_another', subjectInResponseTo: '_another' })],
  ['a message that answers another request', 'in_response_to', () => ({ inResponseTo: '_another', subjectInResponseTo: request.id })],
  ['a subject that answers another request', 'in_response_to', () => ({ subjectInResponseTo: '_another' })],
  ['a subject that answers no request', 'in_response_to', () => ({ subjectInResponseTo: undefined })],
  ['a response to no request', 'in_response_to', () => ({ inResponseTo: undefined })],
  ['holder-of-key confirmation', 'confirmation_method', () => ({ method: 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key' })],
  ['an older SAML version', 'version', () => ({ version: '1.1' })],
  ['a transient name identifier', 'name_id_transient', () => ({ nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' })],
  ['an empty name identifier', 'name_id', () => ({ nameId: ' ' })],
  ['a name identifier of 256 characters', 'name_id', () => ({ nameId: 'x'.repeat(256) })],
]
test.each(CONTEXT)('refused: %s', async (_, reason, more) => {
  await refusedWith(honest({ ...attacker, ...more() }), reason)
})

test('accepts a clock skew of up to a minute', async () => {
  expect((await world.land(browser, request, honest({ notOnOrAfter: plus(-30), notBefore: plus(30) }))).status).toBe(200)
})

describe('refuses what is not a SAML response', () => {
  const JUNK: readonly (readonly [string, () => string, string | RegExp])[] = [
    ['not XML', () => 'hello', 'malformed'],
    ['cut off', () => honest().slice(0, -20), 'malformed'],
    ['two roots', () => `${honest()}${honest()}`, /malformed|id_twice/],
    ['an attribute without quotes', () => honest().replace('Version="2.0"', 'Version=2.0'), 'malformed'],
    ['a bare assertion', () => signedXml(assertionXml(world.saying(request)), 'Assertion', { key: world.key }), 'not_a_Response'],
    ['another message', () => honest().replaceAll('samlp:Response', 'samlp:LogoutResponse'), 'not_a_Response'],
    ['another encoding', () => `<?xml version="1.0" encoding="utf-7"?>${honest()}`, 'markup'],
    ['four hundred levels', () => `${'<a>'.repeat(400)}${'</a>'.repeat(400)}`, 'too_deep'],
    ['ten thousand elements', () => `<a>${'<b/>'.repeat(10_000)}</a>`, 'too_deep'],
  ]
  test.each(JUNK)('%s', async (_, xml, reason) => {
    await refusedWith(xml(), reason)
  })

  test.each(['', '%%%', 'a', '====', Buffer.from([0xff, 0xfe, 0x00]).toString('base64')])('SAMLResponse %j', async (SAMLResponse) => {
    const response = await browser.post(new URL(request.acs).pathname, { SAMLResponse, RelayState: request.relayState })
    expect(response.status).toBe(400)
    expect(await bodyOf(response)).toMatchObject({ success: false, error: SAMLResponse === '' ? 'Missing SAMLResponse' : expect.any(String) })
  })

  test('too large', async () => {
    const response = await browser.post(new URL(request.acs).pathname, { SAMLResponse: 'A'.repeat(600_000), RelayState: request.relayState })
    expect(response.status).toBe(413)
  })
})

describe('binds the response to the browser, the tenant and the client of the request: refuses', () => {
  const strayed = async (path: string, from: SamlBrowser, code: string, relayState = request.relayState): Promise<void> => {
    const before = await samlStateOf(world.app, world.company)
    const response = await from.post(path, { SAMLResponse: base64(honest()), RelayState: relayState })
    expect([response.status, (await bodyOf(response)).code]).toEqual([400, code])
    expect(await samlStateOf(world.app, world.company)).toEqual(before)
  }
  const acs = (): string => new URL(request.acs).pathname

  test('another browser, with its own cookie or none; the browser that began can still finish', async () => {
    await strayed(acs(), samlBrowser(world.app), 'saml_response_invalid')
    const other = samlBrowser(world.app)
    await world.begin(other)
    await strayed(acs(), other, 'saml_response_invalid')
    expect((await world.land(browser, request, honest())).status).toBe(200)
  })

  test('a response under the RelayState of another request of the same browser', async () => {
    const second = await world.begin(browser)
    await strayed(acs(), browser, 'saml_response_invalid', second.relayState)
    expect(why()).toBe('in_response_to')
  })

  test('a RelayState with another tenant’s name, or an invented one', async () => {
    const globex = await world.app.company('globex')
    await strayed(acs(), browser, 'saml_response_invalid', request.relayState.replace(/^[^.]+/, globex.tenantId))
    await strayed(acs(), browser, 'saml_response_invalid', `${world.company.tenantId}.${'A'.repeat(43)}`)
  })

  test('the address of another tenant or client', async () => {
    const globex = await world.app.company('globex')
    await strayed(`/authsec/hmgr/saml/acs/${globex.tenantId}/${globex.clientId}`, browser, 'saml_mismatch')
    await strayed(`/authsec/hmgr/saml/acs/${world.company.tenantId}/${globex.clientId}`, browser, 'saml_mismatch')
  })

  test('a signature of another tenant’s provider, under its own name or under ours', async () => {
    const globex = await world.app.company('globex')
    const key = await keyPair('globex')
    const theirs = await addSamlProvider(world.app, globex, key)
    await refusedWith(signing({ key }, world.saying(request, { issuer: theirs.entityId, nameId: 'victim' })), 'signature')
    await refusedWith(signing({ key }, world.saying(request, { nameId: 'victim' })), 'signature')
  })

  test('a response of another provider of the same tenant', async () => {
    const key = await keyPair('second')
    const second = await addSamlProvider(world.app, world.company, key)
    await refusedWith(signing({ key }, world.saying(request, { issuer: second.entityId })), 'signature')
    await refusedWith(honest({ issuer: second.entityId }), 'issuer')
  })

  test('a response after ten minutes, or after the provider was switched off', async () => {
    const { app, company, key } = world
    app.clock.advance(601)
    await strayed(acs(), browser, 'saml_response_invalid')
    const off = await addSamlProvider(app, company, key, { isActive: false })
    expect((await browser.call(`/authsec/hmgr/saml/initiate/${off.providerName}`, { body: { login_challenge: 'x' } })).status).toBe(404)
  })

  test('an unsolicited response, at the shared address and at the client’s', async () => {
    const reported = world.saying({ ...request, id: '' }, { inResponseTo: undefined })
    const xml = responseXml(reported, signedXml(assertionXml(reported), 'Assertion', { key: world.key }))
    const before = await samlStateOf(world.app, world.company)
    for (const [path, relay] of [
      ['/authsec/hmgr/saml/acs', ''],
      [acs(), ''],
      [acs(), 'https://evil.example/'],
    ] as const) {
      const response = await browser.post(path, { SAMLResponse: base64(xml), ...(relay === '' ? {} : { RelayState: relay }) })
      expect(response.status).toBe(400)
    }
    expect(await samlStateOf(world.app, world.company)).toEqual(before)
  })
})

describe('accepts a response once', () => {
  const refusedNow = async (xml: string): Promise<void> => {
    const before = await samlStateOf(world.app, world.company)
    const again = await world.land(browser, request, xml)
    expect([again.status, (await bodyOf(again)).code]).toEqual([400, 'saml_response_invalid'])
    expect(await samlStateOf(world.app, world.company)).toEqual(before)
  }

  test('refuses the same response again in the same browser', async () => {
    const xml = honest()
    expect((await world.land(browser, request, xml)).status).toBe(200)
    await refusedNow(xml)
  })

  test('refuses a second response to the same request with another assertion', async () => {
    expect((await world.land(browser, request, honest())).status).toBe(200)
    await refusedNow(honest(attacker))
    expect(why()).toBe('unknown_request')
  })

  test('accepts one of fifty concurrent responses to one request, each with its own assertion', async () => {
    const tickets = async (): Promise<unknown> => (await samlStateOf(world.app, world.company)).tickets
    const before = Number(await tickets())
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.land(browser, request, honest())))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 49 }, () => 400)])
    expect(await tickets()).toBe(before + 1)
  })

  test('refuses a used assertion under another request', async () => {
    const assertionId = `_once-${world.company.tenantId}`
    expect((await world.land(browser, request, honest({ assertionId }))).status).toBe(200)
    request = await world.begin(browser)
    await refusedWith(honest({ assertionId }), 'replayed')
  })

  test('accepts one of fifty concurrent copies', async () => {
    const xml = honest()
    const tickets = async (): Promise<unknown> => (await samlStateOf(world.app, world.company)).tickets
    const before = Number(await tickets())
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.land(browser, request, xml)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 49 }, () => 400)])
    expect(await tickets()).toBe(before + 1)
  })
})
