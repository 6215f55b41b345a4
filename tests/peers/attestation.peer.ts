// Evidence made and answered by other people's software: jose signs tokens whose keys are fetched over a socket, and moto answers as AWS's token service.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asTenantId, forTenant } from '#db/engine/tenant'
import { verifyEvidence } from '#shared/domains/attestation/attest'
import { keyAudience } from '#shared/domains/attestation/key-binding'
import { guardedFetch, type Outbound } from '#shared/platform/fetch/guarded'
import { startApp, type TestApp } from '../support/app.ts'
import { attestationCtx, attestorOf } from '../support/attestation.ts'
import { type Aws, startAws } from '../support/aws.ts'
import { STS_BODY, signSts } from '../support/sigv4.ts'

const TENANT = '0190aaaa-bbbb-7ccc-8ddd-000000000001'
const REGION = 'eu-west-1'

let app: TestApp
let aws: Aws
let jkt: string
beforeAll(async () => {
  app = await startApp([], { start: new Date().toISOString() })
  aws = await startAws()
  const { publicKey } = await generateKeyPair('ES256')
  jkt = await calculateJwkThumbprint(await exportJWK(publicKey))
})
afterAll(() => aws.stop())

test('smoke: jose: a token with the claims of a job, whose keys are fetched over a socket', async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'job-key', alg: 'RS256', use: 'sig' }]
  const server: Server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const attestor = attestorOf(app, TENANT, 'github_actions', { jwksUri, rules: { repository_id: '74' } })
  const outbound = guardedFetch({ resolver: { resolve: async () => ['127.0.0.1'] }, loopback: true })
  const evidence = await new SignJWT({ repository_id: '74', repository_owner_id: '65', event_name: 'push', ref: 'refs/heads/main' })
    .setProtectedHeader({ alg: 'RS256', kid: 'job-key', typ: 'JWT' })
    .setIssuer('https://token.actions.githubusercontent.com')
    .setAudience(keyAudience(app.ctx, TENANT, jkt))
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey)
  const verdict = await verifyEvidence(attestationCtx(app, { outbound }), forTenant(app.db, asTenantId(TENANT)), { attestor, evidence, jkt })
  server.close()
  expect(verdict).toMatchObject({ accepted: true })
})

test('moto: the role of a signed request, whatever its session is called', async () => {
  const assumed = await fetch(aws.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      host: 'sts.amazonaws.com',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/sts/aws4_request',
    },
    body: new URLSearchParams({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::123456789012:role/payments',
      RoleSessionName: 'any-session',
    }),
  })
  const xml = await assumed.text()
  const member = (name: string): string => new RegExp(`<${name}>([^<]+)</${name}>`).exec(xml)?.[1] ?? ''
  const credentials = { accessKeyId: member('AccessKeyId'), secretAccessKey: member('SecretAccessKey'), sessionToken: member('SessionToken') }
  const sent = {
    host: `sts.${REGION}.amazonaws.com`,
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    'x-authsec-audience': keyAudience(app.ctx, TENANT, jkt),
  }
  const headers = await signSts({ region: REGION, credentials, headers: sent, at: app.clock.now() })
  // The emulator has no certificate for the host, so the request reaches it by another address.
  const send: Outbound['send'] = async ({ url, method, headers: own = {}, body = '' }) => {
    expect([url, body]).toEqual([`https://sts.${REGION}.amazonaws.com/`, STS_BODY])
    const response = await fetch(aws.endpoint, { method, headers: own, body: String(body) })
    // It sends XML as text/html, which AWS does not.
    return {
      status: response.status,
      body: new Uint8Array(await response.arrayBuffer()),
      header: (name) => (name === 'content-type' ? 'text/xml' : undefined),
    }
  }
  const attestor = attestorOf(app, TENANT, 'aws_sigv4', { regions: [REGION], rules: { role: 'arn:aws:iam::123456789012:role/payments' } })
  const evidence = JSON.stringify({ region: REGION, headers: Object.entries(headers) })
  const ctx = attestationCtx(app, { outbound: { loopback: false, send } })
  const verdict = await verifyEvidence(ctx, forTenant(app.db, asTenantId(TENANT)), { attestor, evidence, jkt })
  expect(verdict).toMatchObject({
    accepted: true,
    attested: {
      selectors: ['aws:account:123456789012', 'aws:role:arn:aws:iam::123456789012:role/payments', expect.stringMatching(/^aws:user-id:AROA/)],
    },
  })
})
