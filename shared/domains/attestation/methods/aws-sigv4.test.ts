// A signed GetCallerIdentity request. The workload signs with AWS's own library, and the stand-in of the token service verifies with it.
import { beforeAll, describe, expect, test } from 'vitest'
import { asTenantId, forTenant } from '#db/engine/tenant'
import type { Attestor } from '#db/store/attestors'
import { FetchFailure, type Outbound, type OutboundRequest } from '#shared/platform/fetch/guarded'
import { startApp, type TestApp } from '#tests/support/app'
import { attestationCtx, attestorOf, JKT, OTHER_JKT } from '#tests/support/attestation'
import { type SignedHeaders, STS_BODY, signSts } from '#tests/support/sigv4'
import { verifyEvidence } from '../attest.ts'
import { keyAudience } from '../key-binding.ts'

const TENANT = '0190aaaa-bbbb-7ccc-8ddd-000000000001'
const ACCOUNT = '123456789012'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/payments`
const REGION = 'eu-west-1'
const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 'FwoGZXIvYXdzEXAMPLE',
}

let app: TestApp
let attestor: Attestor
beforeAll(async () => {
  app = await startApp([])
  attestor = attestorOf(app, TENANT, 'aws_sigv4', { regions: [REGION], rules: { account: ACCOUNT, role: ROLE } })
})

type Signing = {
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly region?: string
  readonly service?: string
  readonly at?: Date
}

const signedHeaders = async ({ headers = {}, region = REGION, service = 'sts', at = app.clock.now() }: Signing = {}): Promise<SignedHeaders> => {
  const all = {
    host: `sts.${REGION}.amazonaws.com`,
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    'x-authsec-audience': keyAudience(app.ctx, TENANT, JKT),
    ...headers,
  }
  const sent = Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined))
  return signSts({ region, service, credentials: CREDENTIALS, headers: sent, at })
}
const evidenceOf = (headers: SignedHeaders | readonly (readonly unknown[])[], region = REGION): string =>
  JSON.stringify({ region, headers: Array.isArray(headers) ? headers : Object.entries(headers) })

const IDENTITY = { arn: `arn:aws:sts::${ACCOUNT}:assumed-role/payments/any-session`, userId: 'AROAIOSFODNN7EXAMPLE:any-session', account: ACCOUNT }
const replyOf = ({ arn, userId, account }: typeof IDENTITY): string =>
  `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>${userId}</UserId>` +
  `<Account>${account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>`

/** Verifies the signature as the token service does, and answers who signed. */
const tokenService = (reply = replyOf(IDENTITY), type = 'text/xml', status = 200) => {
  const received: OutboundRequest[] = []
  const send: Outbound['send'] = async (call) => {
    received.push(call)
    const { authorization = '', ...headers } = call.headers ?? {}
    const { pathname: path } = new URL(call.url)
    const [, date = ''] = /^(\d{8}T\d{6}Z)$/.exec(headers['x-amz-date'] ?? '') ?? []
    const signingDate = new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    const again = await signSts({ region: REGION, credentials: CREDENTIALS, headers, at: signingDate, path })
    const isGenuine = call.body === STS_BODY && again.authorization === authorization
    const body = Buffer.from(isGenuine ? reply : '<ErrorResponse/>')
    return { status: isGenuine ? status : 403, body, header: (name) => (name === 'content-type' ? type : undefined) }
  }
  return { received, outbound: { loopback: false, send } satisfies Outbound }
}

const judged = async (
  evidence: string,
  { outbound = tokenService().outbound, row = {}, jkt = JKT }: { outbound?: Outbound; row?: Partial<Attestor>; jkt?: string } = {},
) => {
  const verdict = await verifyEvidence(attestationCtx(app, { outbound }), forTenant(app.db, asTenantId(TENANT)), {
    attestor: { ...attestor, ...row },
    evidence,
    jkt,
  })
  return verdict.accepted ? verdict.attested.selectors : verdict.failed
}

describe('a signed request', () => {
  test('is sent as we build it, and becomes the account, the role without its session, and the unique id', async () => {
    const { received, outbound } = tokenService()
    const headers = await signedHeaders()
    expect(await judged(evidenceOf(headers), { outbound })).toEqual([
      `aws:account:${ACCOUNT}`,
      `aws:role:${ROLE}`,
      'aws:user-id:AROAIOSFODNN7EXAMPLE',
    ])
    expect(received).toEqual([{ url: `https://sts.${REGION}.amazonaws.com/`, method: 'POST', body: STS_BODY, headers }])
    expect(Object.keys(headers).toSorted()).toEqual(
      ['authorization', 'content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-authsec-audience'].toSorted(),
    )
  })

  const changed = (more: Readonly<Record<string, string | undefined>>, region?: string) => async () =>
    evidenceOf({ ...(await signedHeaders()), ...more } as SignedHeaders, region)
  const without = (name: string) => async () => evidenceOf(Object.entries(await signedHeaders()).filter(([each]) => each !== name))
  const with2 = (pair: readonly unknown[]) => async () => evidenceOf([...Object.entries(await signedHeaders()), pair])
  const resigned = (signing: Signing) => async () => evidenceOf(await signedHeaders(signing))
  const unsigned = (name: string) => async () => {
    const value = (await signedHeaders())[name] ?? ''
    return evidenceOf({ ...(await signedHeaders({ headers: { [name]: undefined } })), [name]: value })
  }

  test.each<[string, string, () => Promise<string>]>([
    ['more than 16 KiB', 'size', async () => evidenceOf({ ...(await signedHeaders()), pad: 'x'.repeat(16 * 1024) })],
    ['text that is not JSON', 'encoding', async () => 'nonsense'],
    ['a member that stands twice', 'encoding', async () => evidenceOf(await signedHeaders()).replace('{', '{"region":"us-east-1",')],
    ['another member', 'encoding', async () => evidenceOf(await signedHeaders()).replace('{', '{"url":"https://attacker.example.com",')],
    ['headers that are no list', 'encoding', async () => JSON.stringify({ region: REGION, headers: await signedHeaders() })],
    ['a region that is not on the list', 'region', changed({}, 'us-east-1')],
    ['a region that is a host of others', 'region', changed({}, 'x.attacker.example.com/?')],
    ['another host', 'headers', changed({ host: 'sts.amazonaws.com.attacker.example.com' })],
    ['another content type', 'headers', changed({ 'content-type': 'application/json' })],
    ['a header more', 'headers', with2(['accept', 'application/json'])],
    ['a header twice', 'headers', with2(['x-amz-date', '20260302T090000Z'])],
    ['a header twice in another spelling', 'headers', with2(['X-Amz-Date', '20260302T090000Z'])],
    ['a header that is no pair', 'headers', with2(['accept'])],
    ['a header of three parts', 'headers', async () => evidenceOf(Object.entries(await signedHeaders()).map((pair) => [...pair, 'x']))],
    [
      'a header of several values',
      'headers',
      async () => evidenceOf(Object.entries(await signedHeaders()).map(([name, value]) => [name, name === 'x-amz-security-token' ? [value] : value])),
    ],
    ['a line break in a header', 'headers', changed({ 'x-amz-security-token': 'x\r\nhost: attacker' })],
    ['a space before a value', 'headers', changed({ 'x-amz-security-token': ' x' })],
    ['a header too long', 'headers', changed({ 'x-amz-security-token': 'x'.repeat(8193) })],
    ['no audience', 'headers', without('x-authsec-audience')],
    ['no date', 'headers', without('x-amz-date')],
    ['no signature', 'headers', without('authorization')],
    ['the audience of another key', 'audience', () => resigned({ headers: { 'x-authsec-audience': keyAudience(app.ctx, TENANT, OTHER_JKT) } })()],
    ['a date more than five minutes ago', 'request_date', () => resigned({ at: new Date(app.clock.now().getTime() - 301_000) })()],
    ['a date in more than five minutes', 'request_date', () => resigned({ at: new Date(app.clock.now().getTime() + 301_000) })()],
    ['a date that does not exist', 'request_date', changed({ 'x-amz-date': '20260230T090000Z' })],
    ['a date in another form', 'request_date', changed({ 'x-amz-date': 'Mon, 02 Mar 2026 09:00:00 GMT' })],
    ['a signature for another region', 'credential_scope', resigned({ region: 'us-east-1' })],
    ['a signature for another service', 'credential_scope', resigned({ service: 'iam' })],
    ['another form of signature', 'credential_scope', changed({ authorization: 'AWS4-ECDSA-P256-SHA256 Credential=x' })],
    ['an audience that is not signed', 'signed_headers', unsigned('x-authsec-audience')],
    ['a content type that is not signed', 'signed_headers', unsigned('content-type')],
    [
      'a security token that is not signed',
      'signed_headers',
      async () => {
        const { 'x-amz-security-token': token = '', ...headers } = await signedHeaders()
        return evidenceOf({
          ...headers,
          authorization: headers.authorization?.replace(';x-amz-security-token', '') ?? '',
          'x-amz-security-token': token,
        })
      },
    ],
    ['a signature over other values', 'signature', changed({ 'content-type': 'application/x-www-form-urlencoded' })],
  ])('with %s is refused: %s', async (_, check, evidence) => {
    const { received, outbound } = tokenService()
    expect(await judged(await evidence(), { outbound })).toBe(check)
    if (check !== 'signature') expect(received).toEqual([])
  })

  test('with a date of another day in its scope is refused', async () => {
    const headers = await signedHeaders()
    expect(await judged(evidenceOf({ ...headers, authorization: headers.authorization?.replace('/20260302/', '/20260301/') ?? '' }))).toBe(
      'credential_scope',
    )
  })

  test('of a user with long-lived credentials is the user', async () => {
    const reply = replyOf({ arn: `arn:aws:iam::${ACCOUNT}:user/robots/payments`, userId: 'AIDAIOSFODNN7EXAMPLE', account: ACCOUNT })
    expect(
      await judged(evidenceOf(await signedHeaders()), {
        outbound: tokenService(reply).outbound,
        row: { rules: { user_id: 'AIDAIOSFODNN7EXAMPLE' } },
      }),
    ).toEqual([`aws:account:${ACCOUNT}`, 'aws:user-id:AIDAIOSFODNN7EXAMPLE', `aws:user:arn:aws:iam::${ACCOUNT}:user/robots/payments`])
  })
})

test('a region that would be another host is refused even where a row lists it', async () => {
  const region = 'x.attacker.example.com/'
  expect(await judged(evidenceOf({ ...(await signedHeaders()), host: `sts.${region}.amazonaws.com` }, region), { row: { regions: [region] } })).toBe(
    'region',
  )
})

describe('a reply of the token service', () => {
  const good = replyOf(IDENTITY)
  test.each<[string, string, string, string?, number?]>([
    ['of another status', 'signature', good, 'text/xml', 500],
    ['as JSON', 'sts_reply', JSON.stringify({ GetCallerIdentityResponse: {} }), 'application/json'],
    ['of another type', 'sts_reply', good, 'text/html'],
    ['without a type', 'sts_reply', good, ''],
    ['of more than 16 KiB', 'sts_reply', good.replace('<RequestId>r', `<RequestId>${'r'.repeat(16 * 1024)}`)],
    ['with a document type', 'sts_reply', `<!DOCTYPE x>${good}`],
    ['with a comment in the ARN', 'sts_reply', good.replace('assumed-role', 'assumed<!-- -->-role')],
    ['with an entity', 'sts_reply', good.replace('payments', '&role;')],
    ['in another namespace', 'sts_reply', good.replace('sts.amazonaws.com', 'attacker.example.com')],
    ['with another root', 'sts_reply', good.replaceAll('GetCallerIdentityResponse', 'GetSessionTokenResponse')],
    ['with another element', 'sts_reply', good.replace('<ResponseMetadata>', '<Other/><ResponseMetadata>')],
    ['with two results', 'sts_reply', good.replace(/<GetCallerIdentityResult>.*<\/GetCallerIdentityResult>/, (result) => result + result)],
    ['with two ARNs', 'sts_reply', good.replace(/<Arn>.*<\/Arn>/, (arn) => arn + arn)],
    ['with the ARN elsewhere', 'sts_reply', good.replace(/(<Arn>.*<\/Arn>)(.*)(<RequestId>)/, '$2$1$3')],
    ['that is not XML', 'sts_reply', 'nonsense'],
    ['about a role of another account', 'account', replyOf({ ...IDENTITY, account: '210987654321' })],
    ['about the root of the account', 'principal', replyOf({ ...IDENTITY, arn: `arn:aws:iam::${ACCOUNT}:root` })],
    ['about a federated user', 'principal', replyOf({ ...IDENTITY, arn: `arn:aws:sts::${ACCOUNT}:federated-user/ana` })],
    ['with a unique id of another form', 'principal', replyOf({ ...IDENTITY, userId: ACCOUNT })],
    ['about another role', 'rule.role', replyOf({ ...IDENTITY, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/other/payments` })],
  ])('%s is refused: %s', async (_, check, reply, type, status) => {
    expect(await judged(evidenceOf(await signedHeaders()), { outbound: tokenService(reply, type, status).outbound })).toBe(check)
  })

  test('that redirects or does not arrive is refused', async () => {
    for (const reason of ['redirect', 'timeout'] as const) {
      const send = async () => {
        throw new FetchFailure(reason)
      }
      expect(await judged(evidenceOf(await signedHeaders()), { outbound: { loopback: false, send } })).toBe('sts')
    }
  })
})
