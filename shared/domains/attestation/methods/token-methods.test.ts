// Methods whose evidence is a token of a platform: the claims are those of the platforms' documentation. Each refusal fails one check of the method alone.
import { beforeAll, describe, expect, test } from 'vitest'
import { asTenantId, forTenant } from '#db/engine/tenant'
import type { Attestor, AttestorKind } from '#db/store/attestors'
import { startApp, type TestApp } from '#tests/support/app'
import { attestationCtx, attestorOf, commonClaims, JKT, type Json, newSigningKey, type SigningKey, signedToken } from '#tests/support/attestation'
import { verifyEvidence } from '../attest.ts'
import type { AttestorSettings } from '../attestor-settings.ts'

const TENANT = '0190aaaa-bbbb-7ccc-8ddd-000000000001'
const ORG = '11111111-1111-4111-8111-111111111111'
const PROJECT = '22222222-2222-4222-8222-222222222222'
const ENTRA = '33333333-3333-4333-8333-333333333333'
const OBJECT = '44444444-4444-4444-8444-444444444444'
const SUBSCRIPTION = '55555555-5555-4555-8555-555555555555'
const IDENTITY = `/subscriptions/${SUBSCRIPTION}/resourcegroups/prod/providers/Microsoft.ManagedIdentity/userAssignedIdentities/payments`
const ACCOUNT = '123456789012'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/payments`

type Refusal = [name: string, claims: Json, check: string, settings?: Partial<Attestor>]
type MethodCase = {
  readonly kind: AttestorKind
  readonly settings: Partial<AttestorSettings>
  readonly claims: Json
  readonly selectors: readonly string[]
  readonly refusals: readonly Refusal[]
  /** Other evidence that is accepted. */
  readonly accepted?: readonly [name: string, claims: Json, settings?: Partial<Attestor>][]
}

const GITHUB: Json = {
  sub: 'repo:octo-org/octo-repo:environment:prod',
  environment: 'prod',
  ref: 'refs/heads/main',
  repository: 'octo-org/octo-repo',
  repository_owner: 'octo-org',
  repository_id: '74',
  repository_owner_id: '65',
  runner_environment: 'github-hosted',
  event_name: 'workflow_dispatch',
  job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
}
const K8S = {
  namespace: 'prod',
  node: { name: 'node-1', uid: OBJECT },
  pod: { name: 'payments-7c9', uid: PROJECT },
  serviceaccount: { name: 'payments', uid: ORG },
}
const K8S_SUBJECT = 'system:serviceaccount:prod:payments'
const ENGINE = { project_id: 'acme-prod', project_number: 739419398126, instance_id: '152986662232938449', zone: 'us-west1-a', instance_name: 'vm' }
const STS = 'https://sts.amazonaws.com/'
const CONTEXT = { aws_account: ACCOUNT, org_id: 'o-abc1234567', ec2_source_instance_arn: `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-1` }

const CASES: readonly MethodCase[] = [
  {
    kind: 'github_actions',
    settings: { rules: { repository_id: '74', ref: 'refs/heads/*' } },
    claims: GITHUB,
    selectors: [
      'github:environment:prod',
      'github:job_workflow_ref:octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
      'github:ref:refs/heads/main',
      'github:repository_id:74',
      'github:repository_owner_id:65',
      'github:runner_environment:github-hosted',
    ],
    refusals: [
      ['another repository of the same name', { repository_id: '75' }, 'rule.repository_id'],
      ['a ref that only begins alike', { ref: 'refs/heads/a/b' }, 'rule.ref'],
      ['a pull request', { event_name: 'pull_request' }, 'event'],
      ['a pull request with the permissions of the target', { event_name: 'pull_request_target' }, 'event'],
      [
        'a pull request where the rule names another event',
        { event_name: 'pull_request' },
        'event',
        { rules: { repository_id: '74', event_name: 'push' } },
      ],
      ['no event', { event_name: undefined }, 'event'],
    ],
    accepted: [
      ['a pull request where the rule names it', { event_name: 'pull_request' }, { rules: { repository_id: '74', event_name: 'pull_request' } }],
    ],
  },
  {
    kind: 'gitlab',
    settings: { rules: { project_id: '22', ref_protected: 'true' } },
    claims: { project_id: '22', namespace_id: '72', project_path: 'acme/app', ref: 'main', ref_type: 'branch', ref_protected: 'true' },
    selectors: ['gitlab:namespace_id:72', 'gitlab:project_id:22', 'gitlab:ref:main', 'gitlab:ref_protected:true'],
    refusals: [
      ['another project', { project_id: '23' }, 'rule.project_id'],
      ['a ref that is not protected', { ref_protected: 'false' }, 'rule.ref_protected'],
    ],
  },
  {
    kind: 'circleci',
    settings: { issuer: `https://oidc.circleci.com/org/${ORG}`, rules: { project_id: PROJECT, ssh_rerun: 'false' } },
    claims: {
      sub: `org/${ORG}/project/${PROJECT}/user/${OBJECT}`,
      'oidc.circleci.com/project-id': PROJECT,
      'oidc.circleci.com/context-ids': [OBJECT],
      'oidc.circleci.com/vcs-ref': 'refs/heads/main',
      'oidc.circleci.com/vcs-origin': 'github.com/acme/app',
      'oidc.circleci.com/ssh-rerun': false,
    },
    selectors: [
      `circleci:context_id:${OBJECT}`,
      `circleci:project_id:${PROJECT}`,
      'circleci:vcs_origin:github.com/acme/app',
      'circleci:vcs_ref:refs/heads/main',
    ],
    refusals: [
      ['another project', { sub: `org/${ORG}/project/${OBJECT}/user/x`, 'oidc.circleci.com/project-id': OBJECT }, 'rule.project_id'],
      ['a subject of another project', { sub: `org/${ORG}/project/${OBJECT}/user/x` }, 'subject'],
      ['a subject of another organisation', { sub: `org/${OBJECT}/project/${PROJECT}/user/x` }, 'subject'],
      ['a subject in a list', { sub: [`org/${ORG}/project/${PROJECT}/user/x`] }, 'subject'],
      ['a rerun by a person', { 'oidc.circleci.com/ssh-rerun': true }, 'rule.ssh_rerun'],
    ],
  },
  {
    kind: 'buildkite',
    settings: { rules: { organization_id: ORG, pipeline_id: PROJECT } },
    claims: { organization_id: ORG, pipeline_id: PROJECT, organization_slug: 'acme', build_branch: 'main', step_key: 'deploy', build_number: 7 },
    selectors: ['buildkite:build_branch:main', `buildkite:organization_id:${ORG}`, `buildkite:pipeline_id:${PROJECT}`, 'buildkite:step_key:deploy'],
    refusals: [
      ['another organisation', { organization_id: OBJECT }, 'rule.organization_id'],
      ['no id of the pipeline', { pipeline_id: undefined, pipeline_slug: 'deploy' }, 'rule.pipeline_id'],
    ],
  },
  {
    kind: 'oidc',
    settings: { issuer: 'https://issuer.example.org', rules: { sub: 'job-1', environment: 'prod' } },
    claims: { sub: 'job-1', environment: 'prod', owner: 'ana' },
    selectors: ['oidc:environment:prod', 'oidc:sub:job-1'],
    refusals: [
      ['another subject', { sub: 'job-2' }, 'rule.sub'],
      ['a claim of the prototype', {}, 'rule.toString', { rules: { sub: 'job-1', toString: 'x' } }],
    ],
  },
  {
    kind: 'k8s_token',
    settings: {
      issuer: 'https://oidc.eks.example.org/id/AB',
      audience: 'https://id.example.org',
      rules: { namespace: 'prod', 'serviceaccount.name': 'pay*' },
    },
    claims: { aud: ['https://id.example.org'], sub: K8S_SUBJECT, 'kubernetes.io': K8S },
    selectors: ['k8s:node:node-1', 'k8s:ns:prod', 'k8s:pod-name:payments-7c9', `k8s:pod-uid:${PROJECT}`, `k8s:sa-uid:${ORG}`, 'k8s:sa:payments'],
    refusals: [
      ['a legacy token without an end', { exp: undefined }, 'expiry'],
      ['two audiences', { aud: ['https://id.example.org', 'https://kubernetes.default.svc'] }, 'audience'],
      ['the audience of the cluster', { aud: ['https://kubernetes.default.svc'] }, 'audience'],
      ['another namespace', { sub: 'system:serviceaccount:test:payments', 'kubernetes.io': { ...K8S, namespace: 'test' } }, 'rule.namespace'],
      ['a subject of another account', { sub: 'system:serviceaccount:prod:other' }, 'subject'],
      ['a subject of another namespace', { sub: 'system:serviceaccount:test:payments' }, 'subject'],
      ['no pod', { 'kubernetes.io': { ...K8S, pod: undefined } }, 'pod'],
      ['a pod without its id', { 'kubernetes.io': { ...K8S, pod: { name: 'payments-7c9' } } }, 'pod'],
      ['an account without its id', { 'kubernetes.io': { ...K8S, serviceaccount: { name: 'payments' } } }, 'claims'],
      ['no namespace', { sub: 'system:serviceaccount:undefined:payments', 'kubernetes.io': { ...K8S, namespace: undefined } }, 'claims'],
      ['claims of another cluster', { 'kubernetes.io': undefined }, 'claims'],
      ['claims in a list', { 'kubernetes.io': [K8S] }, 'claims'],
    ],
  },
  {
    kind: 'aws_web_identity',
    settings: { issuer: 'https://abc123-def456.tokens.sts.global.api.aws', rules: { account: ACCOUNT, role: ROLE } },
    claims: { sub: ROLE, jti: 'x', [STS]: CONTEXT },
    selectors: [
      `aws:account:${ACCOUNT}`,
      'aws:org:o-abc1234567',
      `aws:role:${ROLE}`,
      `aws:source-instance:arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-1`,
    ],
    refusals: [
      ['a life of more than an hour', { exp: 'hour and a second' }, 'lifetime'],
      ['another role', { sub: `${ROLE}-other` }, 'rule.role'],
      ['a user', { sub: `arn:aws:iam::${ACCOUNT}:user/ana` }, 'principal'],
      ['the root of the account', { sub: `arn:aws:iam::${ACCOUNT}:root` }, 'principal'],
      ['a federated user', { sub: `arn:aws:sts::${ACCOUNT}:federated-user/ana` }, 'principal'],
      ['a role of another account', { sub: 'arn:aws:iam::210987654321:role/payments' }, 'account'],
      ['no context', { [STS]: undefined }, 'claims'],
      ['a context that is null', { [STS]: null }, 'claims'],
    ],
    accepted: [['a session of the role, by any name', { sub: `arn:aws:sts::${ACCOUNT}:assumed-role/payments/attacker-chosen` }]],
  },
  {
    kind: 'gcp_identity',
    settings: { rules: { project_id: 'acme-prod', zone: 'us-west1-*' } },
    claims: { sub: '107517467455664443766', azp: '107517467455664443766', email: 'a@b.iam.gserviceaccount.com', google: { compute_engine: ENGINE } },
    selectors: ['gcp:instance-id:152986662232938449', 'gcp:project:acme-prod', 'gcp:sa:107517467455664443766', 'gcp:zone:us-west1-a'],
    refusals: [
      ['another project', { google: { compute_engine: { ...ENGINE, project_id: 'acme-test' } } }, 'rule.project_id'],
      ['no statement about the machine', { google: undefined }, 'rule.project_id'],
      ['a subject in a list', { sub: ['107517467455664443766'] }, 'subject'],
      ['a subject that is no number', { sub: 'a@b.iam.gserviceaccount.com' }, 'subject'],
    ],
    accepted: [['a service account by its number', { google: undefined }, { rules: { sub: '107517467455664443766' } }]],
  },
  {
    kind: 'azure_identity',
    settings: { issuer: `https://sts.windows.net/${ENTRA}/`, audience: 'api://acme-attestation', rules: { oid: OBJECT } },
    claims: { tid: ENTRA, oid: OBJECT, xms_mirid: IDENTITY, appid: PROJECT },
    selectors: [`azure:mirid:${IDENTITY.toLowerCase()}`, `azure:oid:${OBJECT}`, `azure:tid:${ENTRA}`],
    refusals: [
      ['the id of another tenant', { tid: OBJECT }, 'tenant'],
      ['no tenant', { tid: undefined }, 'tenant'],
      ['another object', { oid: PROJECT }, 'rule.oid'],
      ['an object in a list', { oid: [OBJECT] }, 'subject'],
      ['an object that is no id', { oid: 'payments' }, 'subject'],
      ['no managed identity', { xms_mirid: undefined }, 'principal'],
      ['a resource of another form', { xms_mirid: `${IDENTITY}/../other` }, 'principal'],
      ['a resource with look-alike letters', { xms_mirid: IDENTITY.replace('prod', 'prоd') }, 'principal'],
      [
        'a resource with letters that become ASCII in lower case',
        { xms_mirid: IDENTITY.replace('Microsoft.ManagedIdentity', 'Microsoft.ManagedIdentit\u0130') },
        'principal',
      ],
      ['a resource of another subscription form', { xms_mirid: IDENTITY.replace(SUBSCRIPTION, 'any') }, 'principal'],
      ['another audience', { aud: 'https://management.azure.com/' }, 'audience'],
    ],
    accepted: [
      [
        'the identity of a machine',
        { xms_mirid: `/subscriptions/${SUBSCRIPTION}/resourcegroups/prod/providers/Microsoft.Compute/virtualMachines/vm` },
      ],
    ],
  },
]

let app: TestApp
const keys = new Map<string, SigningKey>()
beforeAll(async () => {
  app = await startApp([])
  for (const alg of ['RS256', 'ES256', 'ES384']) keys.set(alg, newSigningKey(alg, `k-${alg}`))
})

const verdictOn = ({ kind, settings, claims }: MethodCase, changed: Json = {}, row: Partial<Attestor> = {}) => {
  const attestor = { ...attestorOf(app, TENANT, kind, { jwks: { keys: [...keys.values()].map(({ jwk }) => jwk) }, ...settings }), ...row }
  const key = keys.get(attestor.algorithms[0] ?? '')
  if (key === undefined) throw new Error('no key')
  const common = commonClaims(app, attestor)
  const exp = changed.exp === 'hour and a second' ? { exp: (common.iat as number) + 3601 } : {}
  const evidence = signedToken(key, { ...common, ...claims, ...changed, ...exp })
  return verifyEvidence(attestationCtx(app), forTenant(app.db, asTenantId(TENANT)), { attestor, evidence, jkt: JKT })
}

describe.each(CASES.map((one) => [one.kind, one] as const))('%s', (_, one) => {
  test('accepted evidence becomes exactly these selectors', async () => {
    expect(await verdictOn(one)).toMatchObject({ accepted: true, attested: { selectors: one.selectors } })
  })
  test.each<Refusal>(one.refusals)('refuses %s', async (_name, changed, check, row) => {
    expect(await verdictOn(one, changed, row)).toEqual({ accepted: false, failed: check })
  })
  test.each<[string, Json, Partial<Attestor>?]>(one.accepted ?? [['the same evidence again', {}]])('accepts %s', async (_name, changed, row) => {
    expect(await verdictOn(one, changed, row)).toMatchObject({ accepted: true })
  })
})

test('a session of an AWS role and the role itself are the same identity', async () => {
  const aws = CASES.find(({ kind }) => kind === 'aws_web_identity')
  if (aws === undefined) throw new Error('no case')
  const selectors = async (sub: string) => {
    const verdict = await verdictOn(aws, { sub })
    return verdict.accepted ? verdict.attested.selectors : verdict.failed
  }
  expect(await selectors(`arn:aws:sts::${ACCOUNT}:assumed-role/payments/any`)).toEqual(await selectors(ROLE))
})
