// A workload of a federated trust domain: its JWT-SVID, or a proof with its X.509-SVID. The trust domain and its keys come from the attestor, never from the SVID.
import type { TenantDb } from '#db/engine/tenant'
import { parseEvidence, verifyToken } from '../evidence-jws.ts'
import { type AttestationCtx, CERTIFICATE_ALGORITHMS, type FederatedBundle, type Method, type PresentedEvidence, selectorsOf } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'

const MAX_ID_BYTES = 2048
const ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/
export const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/

/** The trust domain of a canonical SPIFFE id with a path; undefined for any other text. */
const trustDomainOf = (id: unknown): string | undefined => {
  if (typeof id !== 'string' || id.length > MAX_ID_BYTES) return undefined
  const [, domain, path = ''] = ID.exec(id) ?? []
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? undefined : domain
}

const idOfJwt = async (ctx: AttestationCtx, presented: PresentedEvidence, { jwtKeys }: FederatedBundle) => {
  const { claims, ...verified } = await verifyToken(ctx, presented, {
    keys: jwtKeys,
    types: ['jwt', 'jose'],
    listedAudience: true,
    withoutIssuer: true,
  })
  return { ...verified, id: claims.sub }
}

const idOfCertificate = async (ctx: AttestationCtx, presented: PresentedEvidence, { certificateAuthorities }: FederatedBundle) => {
  const { revokedSerials } = presented.attestor
  const checks = { authorities: certificateAuthorities, revokedSerials, clientAuth: 'if_limited' } as const
  const { verifyCertificateProof } = await import('../certificate-proof.ts')
  const { leaf, ...verified } = await verifyCertificateProof(ctx, presented, checks)
  const [id, ...more] = leaf.uris
  // An X.509-SVID has exactly one URI.
  return { ...verified, id: more.length > 0 ? undefined : id }
}

const bundleOf = async (ctx: AttestationCtx, t: TenantDb, trustDomain: string | null): Promise<FederatedBundle> =>
  (trustDomain === null ? undefined : await ctx.federatedBundles?.find(t, trustDomain)) ?? refuseEvidence('bundle')

export const spiffe: Method = {
  keys: 'bundle',
  algorithms: CERTIFICATE_ALGORITHMS,
  bindings: ['pinned', 'required'],
  ruleNames: ['id'],
  identifying: { id: /^spiffe:\/\/[^*]+\*?$/ },
  refusedRule: (name, rule) => {
    const id = rule.replace(/\/\*$/, '/x')
    return name === 'id' && trustDomainOf(id) === undefined ? 'must be a SPIFFE id with a path, or one that ends with /*' : undefined
  },
  selectors: selectorsOf('spiffe', { id: 'id', domain: 'domain' }),
  verify: async (ctx, t, presented) => {
    const { trustDomain } = presented.attestor
    const bundle = await bundleOf(ctx, t, trustDomain)
    const isCertificate = Object.hasOwn(parseEvidence(presented.evidence).header, 'x5c')
    const { id, digest, expiresAt } = await (isCertificate ? idOfCertificate : idOfJwt)(ctx, presented, bundle)
    const domain = trustDomainOf(id) ?? refuseEvidence('subject')
    requireEvidence(domain === trustDomain, 'trust_domain')
    return { facts: { id: [id as string], domain: [domain] }, digest, expiresAt }
  },
}
