// A certificate of the tenant's own authorities, proved by a signature with its key over our challenge.
import { CERTIFICATE_ALGORITHMS, type Method, selectorsOf } from '../method.ts'
import { factOf } from '../rules.ts'

export const x509Pop: Method = {
  keys: 'certificates',
  algorithms: CERTIFICATE_ALGORITHMS,
  bindings: ['required'],
  ruleNames: ['subject', 'san', 'serial', 'fingerprint'],
  identifying: { subject: /^[^*]+$/, san: /^(?:dns|uri|email|ip):[^*]{3}/, serial: /^(?!0)[0-9a-f]{1,40}$/, fingerprint: /^[0-9a-f]{64}$/ },
  selectors: selectorsOf('x509', { subject: 'subject', san: 'san', serial: 'serial', fingerprint: 'fingerprint' }),
  verify: async (ctx, _, presented) => {
    const { certificateAuthorities, revokedSerials } = presented.attestor
    const checks = { authorities: certificateAuthorities, revokedSerials, clientAuth: 'required' } as const
    // Most attestors never load what reads certificates.
    const { verifyCertificateProof } = await import('../certificate-proof.ts')
    const { leaf, digest, expiresAt } = await verifyCertificateProof(ctx, presented, checks)
    const facts = {
      subject: factOf(leaf.subject),
      san: leaf.names.flatMap(factOf),
      serial: [leaf.serial],
      fingerprint: [leaf.fingerprint],
    }
    return { facts, digest, expiresAt }
  },
}
