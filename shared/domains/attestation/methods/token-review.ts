// Asks the API server of a Kubernetes cluster whether a service account token is still valid: its pod or account may be gone before the token ends.
import type { TenantDb } from '#db/engine/tenant'
import { distinctObject, type JsonObject } from '#shared/platform/tokens/foreign-jws'
import type { AttestationCtx, PresentedEvidence } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews'
const MAX_REPLY_BYTES = 64 * 1024

export const tokenReviewContext = (attestorId: string): string => `attestors:${attestorId}:token_review`

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined

type Wanted = { readonly audience: string; readonly username: string; readonly uid: string }

/** Any error refuses: an API server that does not answer admits nobody. @throws EvidenceRefusal token_review */
export const requireTokenReview = async (
  ctx: AttestationCtx,
  t: TenantDb,
  { attestor, evidence }: PresentedEvidence,
  wanted: Wanted,
): Promise<void> => {
  const { tokenReviewUrl: url, tokenReviewCa: ca, sealedTokenReviewToken: sealed } = attestor
  if (url === null) return
  const token =
    sealed === null
      ? undefined
      : await ctx.keyring
          .open(t, t.tenantId, sealed, tokenReviewContext(attestor.id))
          .catch((error: unknown) => refuseEvidence('token_review', error))
  if (token === undefined) return refuseEvidence('token_review')
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: evidence, audiences: [wanted.audience] } }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' }
  const call = { url: `${url}${PATH}`, method: 'POST', headers, body: JSON.stringify(review), ...(ca === null ? {} : { ca }) } as const
  const reply = await ctx.outbound.send(call).catch((error: unknown) => refuseEvidence('token_review', error))
  requireEvidence((reply.status === 200 || reply.status === 201) && reply.body.byteLength <= MAX_REPLY_BYTES, 'token_review')
  const status = memberOf(distinctObject(new TextDecoder().decode(reply.body)), 'status')
  const [audiences, user] = [memberOf(status, 'audiences'), memberOf(status, 'user')]
  requireEvidence(memberOf(status, 'authenticated') === true && (memberOf(status, 'error') ?? '') === '', 'token_review')
  requireEvidence(Array.isArray(audiences) && audiences.length === 1 && audiences[0] === wanted.audience, 'token_review')
  requireEvidence(memberOf(user, 'username') === wanted.username && memberOf(user, 'uid') === wanted.uid, 'token_review')
}
