// GitLab CI/CD: the ID token of a job.
import { verifyToken } from '../evidence-jws.ts'
import { type Method, selectorsOf } from '../method.ts'
import { factsIn } from '../rules.ts'

const NUMBER = /^[1-9]\d{0,19}$/
const RULE_NAMES = [
  'project_id',
  'namespace_id',
  'project_path',
  'namespace_path',
  'ref',
  'ref_type',
  'ref_protected',
  'environment',
  'environment_protected',
  'pipeline_source',
  'runner_environment',
  'ci_config_ref_uri',
]

export const gitlab: Method = {
  keys: 'jwks',
  issuer: {
    standard: 'https://gitlab.com',
    pattern: /^https:\/\/[a-z0-9.-]+(?::\d+)?(?:\/[\w.~-]+)*$/,
    jwksUri: (issuer) => `${issuer}/oauth/discovery/keys`,
  },
  algorithms: ['RS256'],
  bindings: ['required'],
  ruleNames: RULE_NAMES,
  identifying: { project_id: NUMBER, namespace_id: NUMBER },
  selectors: selectorsOf('gitlab', {
    project_id: 'project_id',
    namespace_id: 'namespace_id',
    ref: 'ref',
    ref_protected: 'ref_protected',
    environment: 'environment',
  }),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented)
    return { facts: factsIn(claims, RULE_NAMES), digest, expiresAt }
  },
}
