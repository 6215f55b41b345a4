// Any other OpenID provider: an ID token. The subject is the only claim that OpenID Connect never reassigns, so a rule names it exactly.
import { verifyToken } from '../evidence-jws.ts'
import type { Method } from '../method.ts'
import { factOf } from '../rules.ts'

/** Claims about the token, not about the workload. */
const OF_TOKEN = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti'])

export const oidc: Method = {
  keys: 'jwks',
  issuer: { pattern: /^https:\/\/[^?#@\s]+$/ },
  algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
  bindings: ['required', 'pinned'],
  identifying: { sub: /^[^*]+$/ },
  refusedRule: (name) => (OF_TOKEN.has(name) ? 'is about the token, not about the workload' : undefined),
  selectors: (facts) => Object.entries(facts).flatMap(([name, values]) => values.map((value) => `oidc:${name}:${value}`)),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented)
    const named = Object.keys(presented.attestor.rules).filter((name) => !OF_TOKEN.has(name) && Object.hasOwn(claims, name))
    return { facts: Object.fromEntries(named.map((name) => [name, factOf(claims[name])])), digest, expiresAt }
  },
}
