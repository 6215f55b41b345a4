// Wire shapes of attestors.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { Jwks } from '#shared/domains/oauth/jwks.schema'

export const AttestorPath = z.strictObject({ id: Id })

const KINDS = [
  'github_actions',
  'gitlab',
  'circleci',
  'buildkite',
  'oidc',
  'k8s_token',
  'aws_web_identity',
  'aws_sigv4',
  'gcp_identity',
  'azure_identity',
  'spiffe',
  'x509_pop',
  'join_token',
] as const
const url = z.string().min(1).max(2000)
const text = z.string().min(1).max(512)

const members = {
  name: z.string().trim().min(1).max(200),
  active: z.boolean(),
  jwks_uri: url.nullable().meta({ description: 'Where the issuer publishes its keys. Known for most kinds.' }),
  jwks: Jwks.nullable(),
  algorithms: z.array(z.string().min(1).max(20)).max(10).meta({ description: 'Accepted signature algorithms; all of the method when empty.' }),
  audience: text
    .nullable()
    .meta({ description: 'What `aud` must be where `key_binding` is `pinned`. Otherwise the audience is the tenant’s own and names the key.' }),
  key_binding: z.enum(['required', 'pinned']).meta({
    description: 'How evidence is bound to the key of its workload: its audience names the key, or the first key that comes with it keeps it.',
  }),
  max_age_seconds: z.number().int().min(60).max(86_400),
  rules: z
    .record(z.string().min(1).max(200), text)
    .refine((rules) => Object.keys(rules).length <= 20, 'must have at most 20 rules')
    .meta({
      description: 'What the evidence must state: an exact value, or a prefix with `*` at its end, which stands for the rest of that path segment.',
      examples: [{ repository_id: '74', ref: 'refs/heads/main' }],
    }),
  regions: z.array(z.string().min(1).max(40)).max(40).meta({ description: '`aws_sigv4`: regions of the token service that may be asked.' }),
  certificate_authorities: z
    .array(z.string().min(1).max(8192))
    .max(10)
    .meta({ description: '`x509_pop`: certificate authorities in PEM, one each.' }),
  token_review: z
    .strictObject({
      url,
      token: z.string().min(1).max(8192).meta({ description: 'A token that may create TokenReviews. Never shown again.' }),
      certificate_authority: z.string().min(1).max(16_384).optional(),
    })
    .nullable()
    .meta({ description: '`k8s_token`: the API server of the cluster, which is asked whether a token is still valid.' }),
  revoked_serials: z
    .array(z.string().regex(/^[0-9A-Fa-f]{1,40}$/, 'must be a serial number in hexadecimal'))
    .max(1000)
    .meta({ description: '`x509_pop` and `spiffe`: serial numbers of certificates that are refused.' }),
}

export const NewAttestor = z
  .strictObject({
    ...z.object(members).partial().shape,
    name: members.name,
    kind: z.enum(KINDS),
    issuer: url.optional().meta({ description: 'The issuer of the evidence. Known for kinds with a single one.' }),
    trust_domain: z.string().min(1).max(255).optional().meta({ description: '`spiffe`: the federated trust domain.' }),
    active: members.active.default(true),
  })
  .meta({
    id: 'NewAttestor',
    examples: [
      {
        name: 'Cluster',
        kind: 'k8s_token',
        issuer: 'https://oidc.cluster.example.org',
        jwks_uri: 'https://oidc.cluster.example.org/openid/v1/jwks',
        audience: 'https://id.example.org',
        key_binding: 'pinned',
        max_age_seconds: 3600,
        rules: { namespace: 'prod', 'serviceaccount.name': 'payments' },
        active: true,
      },
    ],
  })
export const AttestorChange = z
  .strictObject(members)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'nothing to change')
  .meta({
    id: 'AttestorChange',
    examples: [{ name: 'Deployments', active: true, max_age_seconds: 600, rules: { repository_id: '74', ref: 'refs/heads/main' } }],
  })

export const AttestorOut = z
  .object({
    id: z.uuid(),
    name: z.string(),
    kind: z.enum(KINDS),
    active: z.boolean(),
    issuer: z.string().nullable(),
    jwks_uri: z.string().nullable(),
    jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).nullable(),
    algorithms: z.array(z.string()),
    audience: z.string().nullable(),
    key_binding: z.enum(['required', 'pinned']),
    max_age_seconds: z.number().int(),
    rules: z.record(z.string(), z.string()),
    regions: z.array(z.string()),
    certificate_authorities: z.array(z.string()),
    revoked_serials: z.array(z.string()),
    token_review: z.object({ url: z.string(), certificate_authority: z.string().nullable() }).nullable(),
    trust_domain: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Attestor' })
export const AttestorList = z.object({ attestors: z.array(AttestorOut) }).meta({ id: 'Attestors' })

export const AttestorChallenge = z
  .object({
    challenge: z.string().meta({ description: 'The `nonce` of a proof to this attestor.' }),
    expires_in: z.number().int(),
  })
  .meta({ id: 'AttestorChallenge' })

export const AttestorTrial = z
  .strictObject({
    evidence: z.string().min(1).max(16_384).meta({ description: 'The evidence as the workload presents it.' }),
    jkt: z
      .string()
      .regex(/^[\w-]{43}$/, 'must be a thumbprint of RFC 7638')
      .meta({ description: 'Thumbprint of the workload’s key (RFC 7638, SHA-256).', examples: ['NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'] }),
  })
  .meta({ id: 'AttestorTrial' })
export const AttestorVerdict = z
  .object({
    accepted: z.boolean(),
    failed_check: z.string().nullable().meta({ description: 'The first check that failed; `rule.<name>` for a rule of the attestor.' }),
    selectors: z.array(z.string()),
    evidence_expires_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'AttestorVerdict' })
