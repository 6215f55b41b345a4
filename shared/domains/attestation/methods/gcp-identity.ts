// Google Cloud: the identity token of the metadata server, requested with `format=full`.
import { verifyToken } from '../evidence-jws.ts'
import { type Method, selectorsOf } from '../method.ts'
import { requireEvidence } from '../refusal.ts'
import { factOf } from '../rules.ts'

const NUMBER = /^\d{1,25}$/
/** Project ids are never given to another project. */
const PROJECT = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/

type Json = Readonly<Record<string, unknown>>
const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Json)[name] : undefined

export const gcpIdentity: Method = {
  keys: 'jwks',
  issuer: {
    standard: 'https://accounts.google.com',
    pattern: /^https:\/\/accounts\.google\.com$/,
    jwksUri: () => 'https://www.googleapis.com/oauth2/v3/certs',
  },
  algorithms: ['RS256'],
  bindings: ['required'],
  ruleNames: ['project_id', 'project_number', 'instance_id', 'zone', 'sub'],
  identifying: { project_id: PROJECT, project_number: NUMBER, instance_id: NUMBER, sub: NUMBER },
  selectors: selectorsOf('gcp', { project_id: 'project', instance_id: 'instance-id', zone: 'zone', sub: 'sa' }),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented)
    requireEvidence(typeof claims.sub === 'string' && NUMBER.test(claims.sub), 'subject')
    const engine = member(claims.google, 'compute_engine')
    const facts = {
      project_id: factOf(member(engine, 'project_id')),
      project_number: factOf(member(engine, 'project_number')),
      instance_id: factOf(member(engine, 'instance_id')),
      zone: factOf(member(engine, 'zone')),
      sub: factOf(claims.sub),
    }
    return { facts, digest, expiresAt }
  },
}
