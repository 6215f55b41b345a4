// Who may accept evidence of workloads, what may be accepted, and the dry run.
import { describe, expect, test } from 'vitest'
import { isChallenge } from '#shared/domains/attestation/challenge'
import { problem } from '#shared/platform/http/problem'
import { type Company, startApp } from '#tests/support/app'
import { JKT, type Json, NO_NETWORK, newSigningKey, OTHER_JKT, signedToken, timesOf } from '#tests/support/attestation'
import { STRONG_KEYS, WEAK_KEY_SETS } from '#tests/support/weak-keys'
import { spiffeRoutes } from './routes.ts'

const TWO = ['pwd', 'otp']
const GITHUB = { name: 'Deployments', kind: 'github_actions', rules: { repository_id: '74', ref: 'refs/heads/main' } }
const ENTRA = 'https://sts.windows.net/33333333-3333-4333-8333-333333333333/'
const OBJECT = '44444444-4444-4444-8444-444444444444'
const OIDC = { name: 'Other', kind: 'oidc', issuer: 'https://issuer.example.org', jwks: { keys: STRONG_KEYS }, rules: { sub: 'job-1' } }
const K8S = {
  name: 'Cluster',
  kind: 'k8s_token',
  issuer: 'https://oidc.cluster.example.org',
  jwks_uri: 'https://oidc.cluster.example.org/openid/v1/jwks',
  audience: 'https://id.acme.example.org',
  rules: { namespace: 'prod' },
}
const SIGV4 = { name: 'AWS', kind: 'aws_sigv4', regions: ['eu-west-1'], rules: { account: '123456789012' } }
const AZURE = { name: 'Azure', kind: 'azure_identity', issuer: ENTRA, audience: 'api://acme', rules: { oid: OBJECT } }
const PARTNER = {
  name: 'Partner',
  kind: 'spiffe',
  trust_domain: 'partner.example.org',
  audience: 'acme',
  rules: { id: 'spiffe://partner.example.org/a/*' },
}

const start = async () => {
  const app = await startApp(spiffeRoutes, { render: problem, extra: { outbound: NO_NETWORK } })
  const company = await app.company()
  const other = await app.person(company, 'admin')
  const full = await app.token(company.admin, TWO)
  // Holds what the routes name, and with two factors, but not the administrator role itself.
  const partial = await app.token(await app.person(company, ['admin:access', 'spire:manage']), TWO)
  const call = async (token: string | undefined, method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const sent = {
      method,
      headers: { 'if-match': '*', ...headers },
      ...(token === undefined ? {} : { token }),
      ...(body === undefined ? {} : { body }),
    }
    const response = await app.request(path, sent)
    const answer = response.status === 204 ? {} : ((await response.json()) as Json)
    return { status: response.status, body: answer, etag: response.headers.get('etag') }
  }
  const make = async (body: Json = GITHUB) => {
    const made = await call(full, 'POST', '/spiffe/attestors', body)
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    return `/spiffe/attestors/${made.body.id}`
  }
  const events = async (of: Company = company) =>
    (await app.events(of.tenantId)).map(({ event }) => event).filter((event) => event.startsWith('attestor.') || event.startsWith('join_token.'))
  return { app, company, other, full, partial, call, make, events }
}

describe('an attestor is created', () => {
  test('with the defaults of its method, listed, read, changed and deleted', async () => {
    const w = await start()
    const path = await w.make()
    const read = await w.call(w.full, 'GET', path)
    expect(read.body).toMatchObject({
      ...GITHUB,
      active: true,
      issuer: 'https://token.actions.githubusercontent.com',
      jwks_uri: 'https://token.actions.githubusercontent.com/.well-known/jwks',
      jwks: null,
      algorithms: ['RS256'],
      audience: null,
      key_binding: 'required',
      max_age_seconds: 600,
    })
    expect((await w.call(w.full, 'GET', '/spiffe/attestors')).body).toEqual({ attestors: [read.body] })
    const changed = await w.call(w.full, 'PATCH', path, { name: 'Renamed' }, { 'if-match': read.etag ?? '' })
    expect([changed.status, changed.body.name]).toEqual([200, 'Renamed'])
    expect((await w.call(w.full, 'PATCH', path, { name: 'Again' }, { 'if-match': read.etag ?? '' })).body.code).toBe('precondition_failed')
    expect((await w.call(w.full, 'DELETE', path)).status).toBe(204)
    expect((await w.call(w.full, 'GET', path)).body.code).toBe('not_found')
    expect(await w.events()).toEqual(['attestor.deleted', 'attestor.updated', 'attestor.created'])
  })

  test('only by a holder of the whole administrator role, after a recent sign-in with two factors', async () => {
    const w = await start()
    expect(await w.call(w.partial, 'POST', '/spiffe/attestors', GITHUB)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    const weak = await w.app.token(w.company.admin)
    const refused = { status: 401, body: { code: 'insufficient_user_authentication', acr_values: 'aal2', max_age: 900 } }
    expect(await w.call(weak, 'POST', '/spiffe/attestors', GITHUB)).toMatchObject(refused)
    w.app.clock.advance(15 * 60 + 1)
    expect(await w.call(w.full, 'POST', '/spiffe/attestors', GITHUB)).toMatchObject(refused)
    expect((await w.call(w.partial, 'GET', '/spiffe/attestors')).body).toEqual({ attestors: [] })
    expect(await w.events()).toEqual([])
  })

  test('once by each name, and with a notice to the other administrators', async () => {
    const w = await start()
    const path = await w.make()
    const again = { status: 409, body: { code: 'attestor_exists', field: 'body.name' } }
    expect(await w.call(w.full, 'POST', '/spiffe/attestors', GITHUB)).toMatchObject(again)
    await w.make({ ...GITHUB, name: 'Another' })
    expect(await w.call(w.full, 'PATCH', path, { name: 'Another' })).toMatchObject(again)
    const mails = await w.app.mailsTo(w.other.email)
    expect(mails).toHaveLength(2)
    for (const word of ['Deployments', 'github_actions', w.company.admin.email]) expect(mails[0]?.text).toContain(word)
    expect(await w.app.mailsTo(w.company.admin.email)).toEqual([])
  })

  test.each<[string, string, Json]>([
    ['a rule on names alone', 'rules', { ...GITHUB, rules: { repository: 'acme/app', repository_owner: 'acme' } }],
    ['no rule', 'rules', { ...GITHUB, rules: {} }],
    ['no rules at all', 'rules', { name: 'x', kind: 'github_actions' }],
    ['an id that is no number', 'rules', { ...GITHUB, rules: { repository_id: 'acme' } }],
    ['an id with a wildcard', 'rules', { ...GITHUB, rules: { repository_id: '74*' } }],
    ['a wildcard alone', 'rules', { ...GITHUB, rules: { repository_id: '74', ref: '*' } }],
    ['a wildcard in the middle', 'rules', { ...GITHUB, rules: { repository_id: '74', ref: 'refs/*/main' } }],
    ['an unknown name', 'rules', { ...GITHUB, rules: { repository_id: '74', actor: 'ana' } }],
    ['a name of the prototype', 'rules', { ...GITHUB, rules: { repository_id: '74', constructor: 'x' } }],
    ['another issuer', 'issuer', { ...GITHUB, issuer: 'https://attacker.example.org' }],
    ['an issuer without https', 'issuer', { ...OIDC, issuer: 'http://issuer.example.org' }],
    ['an issuer with a user', 'issuer', { ...OIDC, issuer: 'https://a@issuer.example.org' }],
    ['an issuer that is no URL', 'issuer', { ...OIDC, issuer: 'https://[' }],
    ['internal keys', 'jwks_uri', { ...GITHUB, jwks_uri: 'https://169.254.169.254/keys' }],
    ['two sources of keys', 'jwks', { ...GITHUB, jwks_uri: 'https://keys.example.org', jwks: { keys: STRONG_KEYS } }],
    ['no source of keys', 'jwks_uri', { ...OIDC, jwks: undefined }],
    ['a shared secret', 'algorithms', { ...GITHUB, algorithms: ['HS256'] }],
    ['no signature', 'algorithms', { ...GITHUB, algorithms: ['none'] }],
    ['a binding that the method does not have', 'key_binding', { ...GITHUB, key_binding: 'pinned', audience: 'x' }],
    ['an audience of its own with a binding by audience', 'audience', { ...GITHUB, audience: 'x' }],
    ['no audience with a pinned key', 'audience', { ...K8S, audience: undefined }],
    ['a trust domain without a meaning', 'trust_domain', { ...GITHUB, trust_domain: 'acme.example.org' }],
    ['regions without a meaning', 'regions', { ...GITHUB, regions: ['eu-west-1'] }],
    ['authorities without a meaning', 'certificate_authorities', { ...GITHUB, certificate_authorities: ['x'] }],
    ['serial numbers without a meaning', 'revoked_serials', { ...GITHUB, revoked_serials: ['ab'] }],
    ['a name of a project alone (gitlab)', 'rules', { name: 'x', kind: 'gitlab', rules: { project_path: 'acme/app' } }],
    ['no organisation in the issuer (circleci)', 'issuer', { name: 'x', kind: 'circleci', rules: { project_id: OBJECT } }],
    ['a slug alone (buildkite)', 'rules', { name: 'x', kind: 'buildkite', rules: { organization_slug: 'acme' } }],
    ['no subject (oidc)', 'rules', { ...OIDC, rules: { environment: 'prod' } }],
    ['a subject by its beginning (oidc)', 'rules', { ...OIDC, rules: { sub: 'job-*' } }],
    ['a rule on the issuer (oidc)', 'rules', { ...OIDC, rules: { sub: 'job-1', iss: 'x' } }],
    ['the name of a pod alone (k8s)', 'rules', { ...K8S, rules: { 'pod.name': 'payments-1' } }],
    ['the name of an account alone (k8s)', 'rules', { ...K8S, rules: { 'serviceaccount.name': 'default' } }],
    ['a namespace by its beginning (k8s)', 'rules', { ...K8S, rules: { namespace: 'prod*' } }],
    ['an internal API server (k8s)', 'token_review', { ...K8S, token_review: { url: 'https://10.0.0.1', token: 'x' } }],
    ['an API server with a query (k8s)', 'token_review', { ...K8S, token_review: { url: 'https://k8s.example.org/?x=', token: 'x' } }],
    [
      'an authority that is no PEM (k8s)',
      'token_review',
      { ...K8S, token_review: { url: 'https://k8s.example.org', token: 'x', certificate_authority: 'x' } },
    ],
    ['a review of other tokens', 'token_review', { ...GITHUB, token_review: { url: 'https://k8s.example.org', token: 'x' } }],
    ['no issuer (k8s)', 'issuer', { ...K8S, issuer: undefined }],
    [
      'an organisation alone (aws)',
      'rules',
      { name: 'x', kind: 'aws_web_identity', issuer: 'https://a-1.tokens.sts.global.api.aws', rules: { org: 'o-1' } },
    ],
    [
      'an issuer that is not the account’s (aws)',
      'issuer',
      { name: 'x', kind: 'aws_web_identity', issuer: 'https://a.example.org', rules: { account: '123456789012' } },
    ],
    ['a role without its account (sigv4)', 'rules', { ...SIGV4, rules: { role: 'payments' } }],
    ['an account by its beginning (sigv4)', 'rules', { ...SIGV4, rules: { account: '12345678901*' } }],
    ['no region (sigv4)', 'regions', { ...SIGV4, regions: [] }],
    ['a region that is a host (sigv4)', 'regions', { ...SIGV4, regions: ['attacker.example.org/'] }],
    ['a region with another host (sigv4)', 'regions', { ...SIGV4, regions: ['cn-north-1'] }],
    ['keys (sigv4)', 'jwks', { ...SIGV4, jwks: { keys: STRONG_KEYS } }],
    ['an issuer (sigv4)', 'issuer', { ...SIGV4, issuer: 'https://sts.amazonaws.com' }],
    ['a zone alone (gcp)', 'rules', { name: 'x', kind: 'gcp_identity', rules: { zone: 'us-west1-a' } }],
    ['an address of a service account (gcp)', 'rules', { name: 'x', kind: 'gcp_identity', rules: { sub: 'a@b.iam.gserviceaccount.com' } }],
    ['an application alone (azure)', 'rules', { ...AZURE, rules: { appid: OBJECT } }],
    ['a resource in capitals (azure)', 'rules', { ...AZURE, rules: { oid: OBJECT, xms_mirid: '/Subscriptions/x' } }],
    ['the issuer of every directory (azure)', 'issuer', { ...AZURE, issuer: 'https://login.microsoftonline.com/common/v2.0' }],
    ['no authority (x509)', 'certificate_authorities', { name: 'x', kind: 'x509_pop', rules: { subject: 'CN=a' } }],
    [
      'an authority that is none (x509)',
      'certificate_authorities',
      { name: 'x', kind: 'x509_pop', certificate_authorities: ['x'], rules: { subject: 'CN=a' } },
    ],
    ['any id (spiffe)', 'rules', { ...PARTNER, rules: { id: 'spiffe://*' } }],
    ['an id of another trust domain (spiffe)', 'rules', { ...PARTNER, rules: { id: 'spiffe://other.example.org/a' } }],
    ['an id by the beginning of a segment (spiffe)', 'rules', { ...PARTNER, rules: { id: 'spiffe://partner.example.org/a*' } }],
    ['an id with dots (spiffe)', 'rules', { ...PARTNER, rules: { id: 'spiffe://partner.example.org/a/../b' } }],
    ['no trust domain (spiffe)', 'trust_domain', { ...PARTNER, trust_domain: undefined }],
    ['a trust domain in capitals (spiffe)', 'trust_domain', { ...PARTNER, trust_domain: 'Partner.example.org' }],
    ['rules for a join token', 'rules', { name: 'x', kind: 'join_token', rules: { id: 'x' } }],
  ])('never with %s', async (_, field, body) => {
    const w = await start()
    expect(await w.call(w.full, 'POST', '/spiffe/attestors', body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', field: `body.${field}` },
    })
    expect((await w.call(w.full, 'GET', '/spiffe/attestors')).body).toEqual({ attestors: [] })
    expect(await w.events()).toEqual([])
  })

  test('never with our own server as the issuer, or with weak keys', async () => {
    const w = await start()
    const own = await startApp(spiffeRoutes, { render: problem, env: { BASE_URL: 'https://id.acme.example.org' } })
    const company = await own.company()
    const response = await own.request('/spiffe/attestors', {
      body: { ...OIDC, issuer: 'https://id.acme.example.org' },
      token: await own.token(company.admin, TWO),
    })
    expect(await response.json()).toMatchObject({ code: 'invalid_request', field: 'body.issuer' })
    for (const [name, keys] of WEAK_KEY_SETS) {
      const refused = await w.call(w.full, 'POST', '/spiffe/attestors', { ...OIDC, jwks: { keys } })
      expect(refused, name).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    }
  })

  test.each<[string, Json]>([
    ['gitlab', { rules: { namespace_id: '72' } }],
    ['circleci', { issuer: `https://oidc.circleci.com/org/${OBJECT}`, rules: { project_id: OBJECT } }],
    ['buildkite', { rules: { pipeline_id: OBJECT } }],
    ['oidc', OIDC],
    ['k8s_token', K8S],
    ['k8s_token', { ...K8S, issuer: 'https://kubernetes.default.svc.cluster.local', jwks_uri: null, jwks: { keys: STRONG_KEYS } }],
    ['k8s_token', { ...K8S, key_binding: 'required', audience: null }],
    ['aws_web_identity', { issuer: 'https://a-1.tokens.sts.global.api.aws', rules: { role: 'arn:aws:iam::123456789012:role/payments' } }],
    ['aws_sigv4', SIGV4],
    ['gcp_identity', { rules: { project_id: 'acme-prod' } }],
    ['azure_identity', AZURE],
    ['spiffe', PARTNER],
    ['join_token', {}],
  ])('of kind %s', async (kind, body) => {
    const w = await start()
    expect(await w.call(w.full, 'POST', '/spiffe/attestors', { ...body, name: 'x', kind })).toMatchObject({ status: 201, body: { kind } })
  })
})

describe('a change of an attestor', () => {
  test('never shows the token for reviews, and removing or changing the review takes what creating one takes', async () => {
    const w = await start()
    const review = { url: 'https://k8s.example.org', token: 'reviewer-secret' }
    const path = await w.make({ ...K8S, token_review: review })
    const shown = { url: review.url, certificate_authority: null }
    expect((await w.call(w.full, 'GET', path)).body.token_review).toEqual(shown)
    for (const token_review of [null, { ...review, url: 'https://other.example.org' }, { ...review, token: 'another' }])
      expect(await w.call(w.partial, 'PATCH', path, { token_review })).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await w.call(w.partial, 'PATCH', path, { name: 'Renamed' })).body.token_review).toEqual(shown)
    expect((await w.call(w.full, 'PATCH', path, { token_review: null })).body.token_review).toBeNull()
    expect((await w.call(w.partial, 'PATCH', path, { token_review: review })).body.token_review).toEqual(shown)
    expect(JSON.stringify(await w.app.events(w.company.tenantId))).not.toContain('reviewer-secret')
  })

  test.each<[string, Json, Json]>([
    ['another rule', GITHUB, { rules: { repository_id: '75', ref: 'refs/heads/main' } }],
    ['one rule less', GITHUB, { rules: { repository_id: '74' } }],
    ['a wider rule', GITHUB, { rules: { repository_id: '74', ref: 'refs/heads/*' } }],
    ['other keys', GITHUB, { jwks_uri: 'https://keys.example.org/jwks' }],
    ['keys of its own', GITHUB, { jwks: { keys: STRONG_KEYS } }],
    ['an older age', GITHUB, { max_age_seconds: 3600 }],
    ['one more algorithm', { ...OIDC, algorithms: ['ES256'] }, { algorithms: ['ES256', 'RS256'] }],
    ['one more region', SIGV4, { regions: ['eu-west-1', 'us-east-1'] }],
    ['another audience', K8S, { audience: 'https://other.example.org' }],
    ['a pinned key', { ...K8S, key_binding: 'required', audience: undefined }, { key_binding: 'pinned', audience: 'x' }],
    ['fewer serial numbers', { ...PARTNER, revoked_serials: ['AB', '0c'] }, { revoked_serials: ['ab'] }],
  ])('to %s takes what creating one takes', async (_, body, change) => {
    const w = await start()
    const path = await w.make(body)
    const before = await w.call(w.full, 'GET', path)
    expect(await w.call(w.partial, 'PATCH', path, change)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    const weak = await w.app.token(w.company.admin)
    expect(await w.call(weak, 'PATCH', path, change)).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } })
    expect(await w.call(w.full, 'GET', path)).toEqual(before)
    expect(await w.events()).toEqual(['attestor.created'])
    expect((await w.call(w.full, 'PATCH', path, change)).status).toBe(200)
  })

  test.each<[string, Json, Json]>([
    ['one more rule', GITHUB, { rules: { ...GITHUB.rules, environment: 'prod' } }],
    [
      'a narrower rule',
      { ...GITHUB, rules: { repository_id: '74', ref: 'refs/heads/*' } },
      { rules: { repository_id: '74', ref: 'refs/heads/main' } },
    ],
    ['a younger age', GITHUB, { max_age_seconds: 60 }],
    ['fewer algorithms', OIDC, { algorithms: ['ES256'] }],
    ['a key in the audience', K8S, { key_binding: 'required', audience: null }],
    ['more serial numbers', { ...PARTNER, revoked_serials: ['ab'] }, { revoked_serials: ['AB', '0C'] }],
    ['another name', GITHUB, { name: 'Renamed' }],
    ['inactive', GITHUB, { active: false }],
  ])('to %s needs no more than the permission of the route', async (_, body, change) => {
    const w = await start()
    const path = await w.make(body)
    expect((await w.call(w.partial, 'PATCH', path, change)).status).toBe(200)
  })

  test('of an inactive attestor counts when it is activated', async () => {
    const w = await start()
    const path = await w.make()
    for (const change of [{ active: false }, { rules: { repository_id: '75' } }])
      expect((await w.call(w.partial, 'PATCH', path, change)).status).toBe(200)
    expect(await w.call(w.partial, 'PATCH', path, { active: true })).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await w.call(w.full, 'PATCH', path, { active: true })).status).toBe(200)
  })

  test('obeys the same rules as creating one', async () => {
    const w = await start()
    const path = await w.make()
    expect(await w.call(w.full, 'PATCH', path, { rules: { repository: 'acme/app' } })).toMatchObject({ status: 400, body: { field: 'body.rules' } })
    expect(await w.call(w.full, 'PATCH', path, { jwks_uri: 'https://10.0.0.1/' })).toMatchObject({ status: 400, body: { field: 'body.jwks_uri' } })
    expect(await w.call(w.full, 'PATCH', path, { issuer: 'https://x.example.org' })).toMatchObject({ status: 400 })
    expect(await w.call(w.full, 'PATCH', path, {})).toMatchObject({ status: 400 })
  })
})

describe('a dry run', () => {
  const key = newSigningKey('ES256', 'k-1')
  const settings = { ...OIDC, jwks: { keys: [key.jwk] }, algorithms: ['ES256'], key_binding: 'pinned', audience: 'acme' }

  test('names the failing check, or the selectors, and uses nothing', async () => {
    const w = await start()
    const path = `${await w.make(settings)}/try`
    const claims = { iss: OIDC.issuer, aud: 'acme', sub: 'job-1', ...timesOf(w.app) }
    const tried = async (more: Json, jkt = JKT) =>
      (await w.call(w.partial, 'POST', path, { evidence: signedToken(key, { ...claims, ...more }), jkt })).body
    const good = { accepted: true, failed_check: null, selectors: ['oidc:sub:job-1'], evidence_expires_at: new Date(claims.exp * 1000).toISOString() }
    expect(await tried({})).toEqual(good)
    expect(await tried({}, OTHER_JKT)).toEqual(good)
    const refused = { accepted: false, selectors: [], evidence_expires_at: null }
    expect(await tried({ sub: 'job-2' })).toEqual({ ...refused, failed_check: 'rule.sub' })
    expect(await tried({ aud: 'other' })).toEqual({ ...refused, failed_check: 'audience' })
    expect(await w.events()).toEqual(['attestor.created'])
  })

  test('is also possible before an attestor is activated, and never for another tenant', async () => {
    const w = await start()
    const path = `${await w.make({ ...settings, active: false })}/try`
    const claims = { iss: OIDC.issuer, aud: 'acme', sub: 'job-1', ...timesOf(w.app) }
    const body = { evidence: signedToken(key, claims), jkt: JKT }
    expect((await w.call(w.partial, 'POST', path, body)).body.accepted).toBe(true)
    const globex = await w.app.company('globex')
    expect((await w.call(await w.app.token(globex.admin, TWO), 'POST', path, body)).body.code).toBe('not_found')
  })

  test.each([
    ['k8s_token', K8S],
    ['aws_sigv4', SIGV4],
    ['azure_identity', AZURE],
    ['spiffe', PARTNER],
    ['join_token', { name: 'Join', kind: 'join_token' }],
    ['github_actions', GITHUB],
  ])('of %s answers 200 for any text', async (_, body) => {
    const w = await start()
    const path = `${await w.make(body)}/try`
    const texts = [
      '{}',
      '[]',
      'null',
      'e30.e30.e30',
      '{"region":"eu-west-1","headers":[null]}',
      '{"region":1,"headers":[]}',
      'x'.repeat(16_384),
      '\u{1F469}',
      'a'.repeat(43),
    ]
    for (const evidence of texts) {
      const answer = await w.call(w.full, 'POST', path, { evidence, jkt: JKT })
      expect([answer.status, answer.body.accepted], evidence.slice(0, 20)).toEqual([200, false])
    }
  })
})

test('a challenge is issued to anybody and is valid for five minutes', async () => {
  const w = await start()
  const response = await w.app.request('/spiffe/challenges', { method: 'POST' })
  const { challenge, ...more } = (await response.json()) as { challenge: string }
  expect([response.status, more, response.headers.get('cache-control')]).toEqual([200, { expires_in: 300 }, 'no-store'])
  w.app.clock.advance(-31)
  expect(isChallenge(w.app.ctx, challenge)).toBe(false)
  w.app.clock.advance(331)
  expect([isChallenge(w.app.ctx, challenge), isChallenge(w.app.ctx, `${challenge}x`), isChallenge(w.app.ctx, 'zz.x')]).toEqual([true, false, false])
  w.app.clock.advance(1)
  expect(isChallenge(w.app.ctx, challenge)).toBe(false)
})

describe('no identity comes from a header', () => {
  test('X-SPIFFE-ID admits nobody and changes nothing', async () => {
    const w = await start()
    const headers = { 'x-spiffe-id': `spiffe://${w.company.tenantId}/administrator` }
    expect((await w.call(undefined, 'GET', '/spiffe/attestors', undefined, headers)).status).toBe(401)
    expect((await w.call(undefined, 'POST', '/spiffe/attestors', GITHUB, headers)).status).toBe(401)
    const stranger = await w.app.token(await w.app.person(w.company), TWO)
    expect((await w.call(stranger, 'GET', '/spiffe/attestors', undefined, headers)).status).toBe(403)
    expect(await w.events()).toEqual([])
  })
})
