// Bundles of federated trust domains, for evidence that comes from them.
import type { JWK } from 'jose'
import type { FederatedBundles } from '#shared/domains/attestation/method'
import { federatedKeys } from '#shared/domains/spiffe/federation'
import type { Ctx } from './group.ts'

const certificateOf = ({ x5c }: Readonly<Record<string, unknown>>): Uint8Array[] =>
  Array.isArray(x5c) && typeof x5c[0] === 'string' ? [new Uint8Array(Buffer.from(x5c[0], 'base64'))] : []

/** The context of attestation. Bundles are fetched when they are due, so call it outside a transaction. */
export const withFederation = (ctx: Ctx): Ctx & { readonly federatedBundles: FederatedBundles } => ({
  ...ctx,
  federatedBundles: {
    find: async (t, trustDomain) => {
      const jwtKeys = (await federatedKeys(ctx, t.tenantId, trustDomain, 'jwt-svid')) as readonly JWK[]
      const authorities = (await federatedKeys(ctx, t.tenantId, trustDomain, 'x509-svid')).flatMap(certificateOf)
      return jwtKeys.length === 0 && authorities.length === 0 ? undefined : { jwtKeys, certificateAuthorities: authorities }
    },
  },
})
