// GitHub Actions: the OIDC token of a job. Repositories and owners are recognised by number, because their names are recycled.
import { verifyToken } from '../evidence-jws.ts'
import { type Method, selectorsOf } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'
import { factsIn } from '../rules.ts'

const NUMBER = /^[1-9]\d{0,19}$/
const RULE_NAMES = [
  'repository_id',
  'repository_owner_id',
  'repository',
  'repository_owner',
  'repository_visibility',
  'ref',
  'ref_type',
  'environment',
  'job_workflow_ref',
  'workflow_ref',
  'runner_environment',
  'event_name',
  'actor_id',
]

/** Pull requests run code of strangers, and some of their events have the permissions of the target repository. */
const isPullRequest = (event: string): boolean => event.startsWith('pull_request')

export const githubActions: Method = {
  keys: 'jwks',
  issuer: {
    standard: 'https://token.actions.githubusercontent.com',
    // GitHub Enterprise Cloud with its own subdomain of the issuer, and GitHub Enterprise Server.
    pattern:
      /^https:\/\/(?:token\.actions\.githubusercontent\.com(?:\/[A-Za-z0-9-]+)?|token\.actions\.[a-z0-9-]+\.ghe\.com|[a-z0-9.-]+(?::\d+)?\/_services\/token)$/,
    jwksUri: (issuer) => `${issuer}/.well-known/jwks`,
  },
  algorithms: ['RS256'],
  bindings: ['required'],
  ruleNames: RULE_NAMES,
  identifying: { repository_id: NUMBER, repository_owner_id: NUMBER },
  selectors: selectorsOf('github', {
    repository_id: 'repository_id',
    repository_owner_id: 'repository_owner_id',
    ref: 'ref',
    environment: 'environment',
    job_workflow_ref: 'job_workflow_ref',
    runner_environment: 'runner_environment',
  }),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented)
    const { event_name: event } = claims
    if (typeof event !== 'string') return refuseEvidence('event')
    requireEvidence(!isPullRequest(event) || presented.attestor.rules.event_name === event, 'event')
    return { facts: factsIn(claims, RULE_NAMES), digest, expiresAt }
  },
}
