// The methods of attestation by kind of attestor.
import type { AttestorKind } from '#db/store/attestors'
import type { Method } from './method.ts'
import { awsSigv4 } from './methods/aws-sigv4.ts'
import { awsWebIdentity } from './methods/aws-web-identity.ts'
import { azureIdentity } from './methods/azure-identity.ts'
import { buildkite } from './methods/buildkite.ts'
import { circleci } from './methods/circleci.ts'
import { gcpIdentity } from './methods/gcp-identity.ts'
import { githubActions } from './methods/github-actions.ts'
import { gitlab } from './methods/gitlab.ts'
import { joinToken } from './methods/join-token.ts'
import { k8sToken } from './methods/k8s-token.ts'
import { oidc } from './methods/oidc.ts'
import { spiffe } from './methods/spiffe.ts'
import { x509Pop } from './methods/x509-pop.ts'

export const METHODS: Readonly<Record<AttestorKind, Method>> = {
  github_actions: githubActions,
  gitlab,
  circleci,
  buildkite,
  oidc,
  k8s_token: k8sToken,
  aws_web_identity: awsWebIdentity,
  aws_sigv4: awsSigv4,
  gcp_identity: gcpIdentity,
  azure_identity: azureIdentity,
  spiffe,
  x509_pop: x509Pop,
  join_token: joinToken,
}
