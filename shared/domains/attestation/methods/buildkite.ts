// Buildkite: the OIDC token of a job. All organisations share one issuer, so a rule names an organisation or a pipeline by its id.
import { verifyToken } from '../evidence-jws.ts'
import { type Method, selectorsOf } from '../method.ts'
import { factsIn } from '../rules.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const RULE_NAMES = [
  'organization_id',
  'pipeline_id',
  'organization_slug',
  'pipeline_slug',
  'build_branch',
  'build_source',
  'build_tag',
  'step_key',
  'cluster_id',
  'queue_id',
  'runner_environment',
]

export const buildkite: Method = {
  keys: 'jwks',
  issuer: {
    standard: 'https://agent.buildkite.com',
    pattern: /^https:\/\/agent\.buildkite\.com$/,
    jwksUri: (issuer) => `${issuer}/.well-known/jwks`,
  },
  algorithms: ['RS256'],
  bindings: ['required'],
  ruleNames: RULE_NAMES,
  identifying: { organization_id: UUID, pipeline_id: UUID },
  selectors: selectorsOf('buildkite', {
    organization_id: 'organization_id',
    pipeline_id: 'pipeline_id',
    build_branch: 'build_branch',
    step_key: 'step_key',
  }),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented)
    return { facts: factsIn(claims, RULE_NAMES), digest, expiresAt }
  },
}
