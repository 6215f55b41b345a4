// The parts of a token that the revocation feed can refer to. Uses no hash implementation of its own, so that a resource server at the edge can use it too.

export const DISTRUST_KINDS = ['tenant', 'user', 'client', 'session', 'authorization', 'delegation', 'token'] as const
export type DistrustKind = (typeof DISTRUST_KINDS)[number]
export type Claims = Readonly<Record<string, unknown>>

const isText = (value: unknown): value is string => typeof value === 'string'

/** All ids in a token's claims on which it depends. */
export const idsIn = (claims: Claims): readonly (readonly [DistrustKind, string])[] => {
  const actors: unknown[] = []
  for (let act = claims.act; typeof act === 'object' && act !== null; act = (act as Claims).act) actors.push((act as Claims).sub)
  const named: readonly (readonly [DistrustKind, unknown])[] = [
    ['tenant', claims.tenant_id],
    ['user', claims.sub],
    ['client', claims.client_id],
    ['client', claims.sub],
    ...actors.map((id) => ['client', id] as const),
    ['authorization', claims.authorization_id],
    ['delegation', claims.delegation_id],
    ['token', claims.jti],
  ]
  return named.flatMap(([kind, id]) => (isText(id) ? [[kind, id] as const] : []))
}

/** The disclosed digest of an id: the first 22 characters of base64url(SHA-256(`kind id`)). */
export const disclosedId = (digest: string): string => digest.slice(0, 22)

/** `revoked`: digests, each with the time in seconds up to which issued tokens are affected. */
export const isMeant = (revoked: ReadonlyMap<string, number>, digests: readonly string[], iat: unknown): boolean =>
  digests.some((digest) => {
    const until = revoked.get(digest)
    return until !== undefined && (typeof iat !== 'number' || iat <= until)
  })
