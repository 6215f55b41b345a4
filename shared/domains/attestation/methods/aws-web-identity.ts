// AWS: the token of STS GetWebIdentityToken. Each account has an issuer of its own.
import { verifyToken } from '../evidence-jws.ts'
import { type Method, selectorsOf } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'
import { factOf } from '../rules.ts'
import { AWS_ACCOUNT, AWS_ROLE, awsPrincipal } from './aws-principal.ts'

/** STS issues tokens for 60 to 3600 seconds. */
const MAX_LIFETIME_SECONDS = 3600
const NAMESPACE = 'https://sts.amazonaws.com/'

export const awsWebIdentity: Method = {
  keys: 'jwks',
  issuer: { pattern: /^https:\/\/[a-z0-9-]+\.tokens\.sts\.global\.api\.aws$/, jwksUri: (issuer) => `${issuer}/.well-known/jwks.json` },
  algorithms: ['RS256', 'ES384'],
  bindings: ['required'],
  ruleNames: ['account', 'role', 'org', 'source_instance', 'source_function'],
  identifying: { account: AWS_ACCOUNT, role: AWS_ROLE },
  selectors: selectorsOf('aws', {
    account: 'account',
    role: 'role',
    org: 'org',
    source_instance: 'source-instance',
    source_function: 'source-function',
  }),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented, { maxLifetimeSeconds: MAX_LIFETIME_SECONDS })
    const principal = awsPrincipal(claims.sub)
    const context = claims[NAMESPACE]
    if (principal?.role === undefined) return refuseEvidence('principal')
    if (typeof context !== 'object' || context === null) return refuseEvidence('claims')
    const {
      aws_account: account,
      org_id: org,
      ec2_source_instance_arn: instance,
      lambda_source_function_arn: lambda,
    } = context as Readonly<Record<string, unknown>>
    requireEvidence(account === principal.account, 'account')
    const facts = {
      account: factOf(account),
      role: factOf(principal.role),
      org: factOf(org),
      source_instance: factOf(instance),
      source_function: factOf(lambda),
    }
    return { facts, digest, expiresAt }
  },
}
