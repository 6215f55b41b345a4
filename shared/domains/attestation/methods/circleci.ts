// CircleCI: the OIDC token of a job. Each organisation has an issuer of its own.
import { verifyToken } from '../evidence-jws.ts'
import { type Method, selectorsOf } from '../method.ts'
import { requireEvidence } from '../refusal.ts'
import { factOf } from '../rules.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ISSUER = /^https:\/\/oidc\.circleci\.com\/org\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const CLAIMS = ['project-id', 'context-ids', 'vcs-origin', 'vcs-ref', 'ssh-rerun'] as const

export const circleci: Method = {
  keys: 'jwks',
  issuer: { pattern: ISSUER, jwksUri: (issuer) => `${issuer}/.well-known/jwks-pub.json` },
  algorithms: ['RS256'],
  bindings: ['required'],
  ruleNames: ['project_id', 'context_ids', 'vcs_origin', 'vcs_ref', 'ssh_rerun'],
  identifying: { project_id: UUID },
  selectors: selectorsOf('circleci', { project_id: 'project_id', context_ids: 'context_id', vcs_origin: 'vcs_origin', vcs_ref: 'vcs_ref' }),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented)
    const project = claims['oidc.circleci.com/project-id']
    const [, organisation] = ISSUER.exec(presented.attestor.issuer ?? '') ?? []
    // The subject names the same organisation and project.
    requireEvidence(typeof claims.sub === 'string' && `${claims.sub}/`.startsWith(`org/${organisation}/project/${project}/`), 'subject')
    const facts = Object.fromEntries(CLAIMS.map((name) => [name.replace('-', '_'), factOf(claims[`oidc.circleci.com/${name}`])]))
    return { facts, digest, expiresAt }
  },
}
