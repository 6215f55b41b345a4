// AWS: a signed GetCallerIdentity request, which we send ourselves. Only the signature comes from the workload: method, address and body are ours, the region is
// on the attestor's list, and every header is known and signed. The reply is read from the token service alone (CVE-2020-16250 was a reply that the attacker chose).

import { sha256 } from '#shared/platform/crypto/sha256'
import type { OutboundResponse } from '#shared/platform/fetch/guarded'
import { distinctObject } from '#shared/platform/tokens/foreign-jws'
import { MAX_EVIDENCE_BYTES } from '../evidence-jws.ts'
import { audienceFor } from '../key-binding.ts'
import { type AttestationCtx, type Method, selectorsOf } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'
import { factOf } from '../rules.ts'
import { AWS_ACCOUNT, AWS_ROLE, AWS_USER, awsPrincipal } from './aws-principal.ts'

const BODY = 'Action=GetCallerIdentity&Version=2011-06-15'
const CONTENT_TYPES = new Set(['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8'])
const REQUIRED = ['authorization', 'content-type', 'host', 'x-amz-date', 'x-authsec-audience'] as const
const OPTIONAL = 'x-amz-security-token'
const ALLOWED: ReadonlySet<string> = new Set([...REQUIRED, OPTIONAL])
const MAX_HEADER = 8192
const MAX_DATE_AGE_SECONDS = 300
const UNIQUE_ID = /^A[A-Z0-9]{15,127}$/
const SCOPE =
  /^AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/

type Headers = Readonly<Record<string, string>>
type SignedRequest = { readonly region: string; readonly headers: Headers }

/** `{"region": …, "headers": [[name, value], …]}` with names in lower case, each once. */
const readRequest = (evidence: string): SignedRequest => {
  requireEvidence(Buffer.byteLength(evidence) <= MAX_EVIDENCE_BYTES, 'size')
  const { region, headers, ...others } = distinctObject(evidence) ?? refuseEvidence('encoding')
  requireEvidence(typeof region === 'string' && Array.isArray(headers) && Object.keys(others).length === 0, 'encoding')
  const read = new Map<string, string>()
  for (const pair of headers as readonly unknown[]) {
    const [name, value, ...more] = Array.isArray(pair) ? (pair as readonly unknown[]) : []
    if (typeof name !== 'string' || typeof value !== 'string' || more.length > 0 || !ALLOWED.has(name) || read.has(name))
      return refuseEvidence('headers')
    requireEvidence(value.length <= MAX_HEADER && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value), 'headers')
    read.set(name, value)
  }
  requireEvidence(
    REQUIRED.every((name) => read.has(name)),
    'headers',
  )
  return { region, headers: Object.fromEntries(read) }
}

const timeOf = (text: string): Date | undefined => {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  const at = new Date(Date.UTC(Number(parts[0]), Number(parts[1]) - 1, Number(parts[2]), Number(parts[3]), Number(parts[4]), Number(parts[5])))
  return parts.length === 6 && at.toISOString().replace(/[-:]|\.\d{3}/g, '') === text ? at : undefined
}

/** The credential scope is that of this request, and all headers but the signature itself are signed. */
const requireSignedHeaders = (headers: Headers, region: string): void => {
  const [, date, of, service, signed] = SCOPE.exec(headers.authorization ?? '') ?? []
  requireEvidence(date === headers['x-amz-date']?.slice(0, 8) && of === region && service === 'sts', 'credential_scope')
  const sent = Object.keys(headers)
    .filter((name) => name !== 'authorization')
    .toSorted()
  requireEvidence(signed === sent.join(';'), 'signed_headers')
}

const ask = async ({ outbound }: Pick<AttestationCtx, 'outbound'>, host: string, headers: Headers): Promise<OutboundResponse> => {
  try {
    return await outbound.send({ url: `https://${host}/`, method: 'POST', headers, body: BODY })
  } catch (error) {
    return refuseEvidence('sts', error)
  }
}

export const awsSigv4: Method = {
  keys: 'service',
  algorithms: [],
  bindings: ['required'],
  ruleNames: ['account', 'role', 'user', 'user_id'],
  identifying: { account: AWS_ACCOUNT, role: AWS_ROLE, user: AWS_USER, user_id: UNIQUE_ID },
  selectors: selectorsOf('aws', { account: 'account', role: 'role', user: 'user', user_id: 'user-id' }),
  verify: async (ctx, _, { attestor, evidence, jkt }) => {
    const { region, headers } = readRequest(evidence)
    requireEvidence(attestor.regions.includes(region) && /^[a-z0-9-]+$/.test(region), 'region')
    const host = `sts.${region}.amazonaws.com`
    requireEvidence(headers.host === host && CONTENT_TYPES.has(headers['content-type'] ?? ''), 'headers')
    requireEvidence(headers['x-authsec-audience'] === audienceFor(ctx, attestor, jkt), 'audience')
    const signedAt = timeOf(headers['x-amz-date'] ?? '') ?? refuseEvidence('request_date')
    requireEvidence(Math.abs(ctx.clock.now().getTime() - signedAt.getTime()) <= MAX_DATE_AGE_SECONDS * 1000, 'request_date')
    requireSignedHeaders(headers, region)
    const { readCallerIdentity } = await import('./sts-reply.ts')
    const caller = readCallerIdentity(await ask(ctx, host, headers))
    const principal = awsPrincipal(caller.arn) ?? refuseEvidence('principal')
    requireEvidence(principal.account === caller.account, 'account')
    // The unique id of a role's session is followed by the session's name.
    const [id = ''] = caller.userId.split(':')
    requireEvidence(UNIQUE_ID.test(id), 'principal')
    const facts = { account: factOf(principal.account), role: factOf(principal.role), user: factOf(principal.user), user_id: [id] }
    return { facts, digest: sha256(evidence), expiresAt: new Date(signedAt.getTime() + MAX_DATE_AGE_SECONDS * 1000) }
  },
}
