// A join token: a secret of 256 bits that an administrator made, for one workload, once.
import type { TenantTx } from '#db/engine/tenant'
import { consumeJoinToken, findUsableJoinToken } from '#db/store/join-tokens'
import { sha256 } from '#shared/platform/crypto/sha256'
import { type AttestationCtx, type Method, type PresentedEvidence, selectorsOf } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'

/** 256 bits in base64url. */
const SECRET = /^[\w-]{43}$/

const presentedToken = (ctx: Pick<AttestationCtx, 'clock'>, { attestor, evidence }: PresentedEvidence) => {
  requireEvidence(SECRET.test(evidence), 'join_token')
  return { hash: sha256(evidence), attestorId: attestor.id, now: ctx.clock.now() }
}

export const joinToken: Method = {
  keys: 'service',
  algorithms: [],
  bindings: ['pinned'],
  ruleNames: [],
  selectors: selectorsOf('join', { id: 'id' }),
  verify: async (ctx, t, presented) => {
    const token = await findUsableJoinToken(t, presentedToken(ctx, presented))
    if (token === undefined) return refuseEvidence('join_token')
    return {
      facts: { id: [token.id] },
      // The stored hash stays out of the audit log.
      digest: sha256(`join-token ${token.id}`),
      expiresAt: token.expiresAt,
      ...(token.entryId === null ? {} : { entryId: token.entryId }),
    }
  },
  consume: async (ctx: AttestationCtx, t: TenantTx, presented: PresentedEvidence) =>
    (await consumeJoinToken(t, { ...presentedToken(ctx, presented), jkt: presented.jkt })) !== undefined,
}
