// Kubernetes: a projected service account token. Legacy tokens of secrets, which never expire, are refused.
import { verifyToken } from '../evidence-jws.ts'
import { audienceFor } from '../key-binding.ts'
import { type Method, selectorsOf } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'
import { factOf } from '../rules.ts'
import { requireTokenReview } from './token-review.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** RFC 1123 label, as names of namespaces are. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

type Json = Readonly<Record<string, unknown>>
const objectOf = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
type Named = { readonly name: string; readonly uid: string }
const namedObject = (value: unknown): Named | undefined => {
  const { name, uid } = objectOf(value) ?? {}
  return typeof name === 'string' && name !== '' && typeof uid === 'string' && uid !== '' ? { name, uid } : undefined
}

export const k8sToken: Method = {
  keys: 'jwks',
  issuer: { pattern: /^https:\/\/[^?#@\s]+$/ },
  algorithms: ['RS256', 'ES256'],
  bindings: ['pinned', 'required'],
  ruleNames: ['namespace', 'serviceaccount.name', 'serviceaccount.uid', 'pod.name', 'pod.uid', 'node.name'],
  // The names of pods are recycled all the time; a namespace belongs to whoever administers the cluster.
  identifying: { namespace: LABEL, 'serviceaccount.uid': UUID },
  selectors: selectorsOf('k8s', {
    namespace: 'ns',
    'serviceaccount.name': 'sa',
    'serviceaccount.uid': 'sa-uid',
    'pod.name': 'pod-name',
    'pod.uid': 'pod-uid',
    'node.name': 'node',
  }),
  verify: async (ctx, t, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented, { listedAudience: true })
    const { namespace, serviceaccount, pod, node } = objectOf(claims['kubernetes.io']) ?? refuseEvidence('claims')
    const account = namedObject(serviceaccount)
    if (typeof namespace !== 'string' || account === undefined) return refuseEvidence('claims')
    requireEvidence(typeof claims.sub === 'string' && claims.sub === `system:serviceaccount:${namespace}:${account.name}`, 'subject')
    // A token that was made for a person or a tool is bound to no pod.
    const bound = namedObject(pod) ?? refuseEvidence('pod')
    const audience = audienceFor(ctx, presented.attestor, presented.jkt) ?? refuseEvidence('audience')
    await requireTokenReview(ctx, t, presented, { audience, username: claims.sub, uid: account.uid })
    const facts = {
      namespace: factOf(namespace),
      'serviceaccount.name': factOf(account.name),
      'serviceaccount.uid': factOf(account.uid),
      'pod.name': factOf(bound.name),
      'pod.uid': factOf(bound.uid),
      'node.name': factOf(objectOf(node)?.name),
    }
    return { facts, digest, expiresAt }
  },
}
