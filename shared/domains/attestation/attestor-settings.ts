// What an attestor may be configured to accept. Settings that would admit more than they seem to are refused when they are made.
import type { Attestor, AttestorKind } from '#db/store/attestors'
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import { TRUST_DOMAIN } from './methods/spiffe.ts'
import { METHODS } from './methods.ts'
import { isRule } from './rules.ts'

export type AttestorSettings = Pick<
  Attestor,
  | 'issuer'
  | 'jwksUri'
  | 'jwks'
  | 'algorithms'
  | 'audience'
  | 'keyBinding'
  | 'maxAgeSeconds'
  | 'rules'
  | 'regions'
  | 'certificateAuthorities'
  | 'revokedSerials'
  | 'trustDomain'
  | 'tokenReviewUrl'
  | 'tokenReviewCa'
>
type Deps = { readonly config: Pick<Config, 'BASE_URL'>; readonly outbound: { readonly loopback: boolean } }

const DEFAULT_MAX_AGE_SECONDS = 600
/** Not in China: the token service there has another host. */
const REGION = /^(?!cn-)[a-z]{2}(?:-[a-z]+){1,3}-\d$/

const invalid = (field: string, why: string): AppError => new AppError('invalid_request', `body.${field} ${why}`, { field: `body.${field}` })

/** The settings with the defaults of the method. */
export const withDefaults = (kind: AttestorKind, given: Partial<AttestorSettings>): AttestorSettings => {
  const { keys, issuer: issuers, algorithms, bindings } = METHODS[kind]
  const issuer = given.issuer ?? issuers?.standard ?? null
  const standardJwksUri = issuer === null ? undefined : issuers?.jwksUri?.(issuer)
  const needsUri = keys === 'jwks' && (given.jwks ?? null) === null
  return {
    issuer,
    jwksUri: given.jwksUri ?? (needsUri ? (standardJwksUri ?? null) : null),
    jwks: given.jwks ?? null,
    algorithms: given.algorithms === undefined || given.algorithms.length === 0 ? [...algorithms] : given.algorithms,
    audience: given.audience ?? null,
    keyBinding: given.keyBinding ?? bindings[0] ?? 'required',
    maxAgeSeconds: given.maxAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS,
    rules: given.rules ?? {},
    regions: given.regions ?? [],
    certificateAuthorities: given.certificateAuthorities ?? [],
    revokedSerials: given.revokedSerials ?? [],
    trustDomain: given.trustDomain ?? null,
    tokenReviewUrl: given.tokenReviewUrl ?? null,
    tokenReviewCa: given.tokenReviewCa ?? null,
  }
}

const requireUrl = ({ outbound }: Deps, field: string, url: string): void => {
  const checked = checkOutboundUrl(url, outbound)
  if (typeof checked === 'string') throw invalid(field, `is invalid (${checked})`)
}

const requireIssuer = (ctx: Deps, kind: AttestorKind, { issuer }: AttestorSettings): void => {
  const { issuer: issuers } = METHODS[kind]
  if (issuers === undefined) {
    if (issuer !== null) throw invalid('issuer', `has no meaning for ${kind}`)
    return
  }
  if (issuer === null) throw invalid('issuer', 'is missing')
  // Never fetched, so it may be the internal name of a cluster.
  if (!issuers.pattern.test(issuer) || !URL.canParse(issuer)) throw invalid('issuer', `is not an issuer of ${kind}`)
  // Our own issuer is the same for all tenants.
  if (new URL(issuer).origin === new URL(ctx.config.BASE_URL).origin) throw invalid('issuer', 'must be another server')
}

const requireKeys = async (ctx: Deps, kind: AttestorKind, settings: AttestorSettings): Promise<void> => {
  const { keys, algorithms } = METHODS[kind]
  const { jwksUri, jwks, certificateAuthorities, revokedSerials, regions, trustDomain } = settings
  const isUnused = (field: string, isGiven: boolean): void => {
    if (isGiven) throw invalid(field, `has no meaning for ${kind}`)
  }
  if (keys === 'jwks') {
    if ((jwksUri === null) === (jwks === null)) throw invalid(jwks === null ? 'jwks_uri' : 'jwks', 'must be given, or the other of jwks_uri and jwks')
    if (jwksUri !== null) requireUrl(ctx, 'jwks_uri', jwksUri)
  } else {
    isUnused('jwks_uri', jwksUri !== null)
    isUnused('jwks', jwks !== null)
  }
  const unknown = settings.algorithms.find((algorithm) => !algorithms.includes(algorithm))
  if (unknown !== undefined) throw invalid('algorithms', `must be of ${algorithms.join(', ') || 'none'}`)
  if (keys === 'certificates') {
    if (certificateAuthorities.length === 0) throw invalid('certificate_authorities', 'is missing')
    const { isAuthorityCertificate } = await import('./certificate-chain.ts')
    if (!certificateAuthorities.every(isAuthorityCertificate))
      throw invalid('certificate_authorities', 'must be certificates of authorities in PEM, one each')
  } else isUnused('certificate_authorities', certificateAuthorities.length > 0)
  isUnused('revoked_serials', keys !== 'certificates' && keys !== 'bundle' && revokedSerials.length > 0)
  if (kind === 'aws_sigv4') {
    if (regions.length === 0 || !regions.every((region) => REGION.test(region))) throw invalid('regions', 'must name regions of the token service')
  } else isUnused('regions', regions.length > 0)
  if (kind === 'spiffe') {
    if (trustDomain === null || !TRUST_DOMAIN.test(trustDomain)) throw invalid('trust_domain', 'must be the name of a trust domain')
  } else isUnused('trust_domain', trustDomain !== null)
}

const requireTokenReview = (ctx: Deps, kind: AttestorKind, { tokenReviewUrl: url, tokenReviewCa: ca }: AttestorSettings): void => {
  if (url === null) return
  if (kind !== 'k8s_token') throw invalid('token_review', `has no meaning for ${kind}`)
  requireUrl(ctx, 'token_review', url)
  if (/[?]|\/$/.test(url)) throw invalid('token_review', 'must be the address of the API server, without a query or a slash at its end')
  if (ca !== null && !/^-----BEGIN CERTIFICATE-----\s/.test(ca)) throw invalid('token_review', 'certificate_authority must be PEM')
}

const requireBinding = (kind: AttestorKind, { keyBinding, audience }: AttestorSettings): void => {
  const { bindings, consume } = METHODS[kind]
  if (!bindings.includes(keyBinding)) throw invalid('key_binding', `must be ${bindings.join(' or ')}`)
  const needsAudience = keyBinding === 'pinned' && consume === undefined
  if (needsAudience && (audience ?? '') === '') throw invalid('audience', 'is missing: evidence with a fixed audience names it')
  if (!needsAudience && audience !== null) throw invalid('audience', 'must be left out: the audience is the tenant’s own and names the key')
}

const requireStrongRules = (kind: AttestorKind, { rules, trustDomain }: AttestorSettings): void => {
  const { ruleNames, identifying, refusedRule } = METHODS[kind]
  for (const [name, rule] of Object.entries(rules)) {
    if (ruleNames !== undefined && !ruleNames.includes(name)) throw invalid('rules', `must be of ${ruleNames.join(', ') || 'nothing'}`)
    if (!isRule(rule)) throw invalid('rules', `${name} must be an exact value, or a prefix with * at its end`)
    const refusal = refusedRule?.(name, rule)
    if (refusal !== undefined) throw invalid('rules', `${name} ${refusal}`)
  }
  if (identifying === undefined) return
  const isIdentified = Object.entries(identifying).some(([name, form]) => Object.hasOwn(rules, name) && form.test(rules[name] ?? ''))
  if (!isIdentified)
    throw invalid('rules', `must name one of ${Object.keys(identifying).join(', ')}: other values are given to others, or admit others`)
  if (kind === 'spiffe' && !rules.id?.startsWith(`spiffe://${trustDomain}/`)) throw invalid('rules', 'id must be of the trust domain')
}

/** @throws AppError invalid_request with the field */
export const requireSoundSettings = async (ctx: Deps, kind: AttestorKind, settings: AttestorSettings): Promise<void> => {
  requireIssuer(ctx, kind, settings)
  await requireKeys(ctx, kind, settings)
  requireTokenReview(ctx, kind, settings)
  requireBinding(kind, settings)
  requireStrongRules(kind, settings)
}
