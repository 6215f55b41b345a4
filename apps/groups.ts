// The routes of every group, for the local process and for tools. No Lambda handler imports this file.

import { authorizationServerError, authsecError, outcomeError, problem, statusError } from '#shared/platform/http/problem'
import type { DocumentedGroup } from '#shared/platform/openapi/openapi'
import { pageError } from '#shared/platform/pages/error.tsx'
import { accessRoutes } from '../functions/access/routes.ts'
import { accountRoutes } from '../functions/account/routes.ts'
import { accountPageRoutes } from '../functions/account-pages/routes.ts'
import { adminRoutes } from '../functions/admin/routes.ts'
import { agentRoutes } from '../functions/agents/routes.ts'
import { auditRoutes } from '../functions/audit/routes.ts'
import { authRoutes } from '../functions/auth/routes.ts'
import { challengeRoutes } from '../functions/challenges/routes.ts'
import { cibaRoutes } from '../functions/ciba/routes.ts'
import { clientsRoutes } from '../functions/clients/routes.ts'
import { connectionRoutes } from '../functions/connections/routes.ts'
import { deviceRoutes } from '../functions/device/routes.ts'
import { factorRoutes } from '../functions/factors/routes.ts'
import { federationRoutes } from '../functions/federation/routes.ts'
import { loginRoutes } from '../functions/login/routes.ts'
import { managementRoutes } from '../functions/management/routes.ts'
import { mcpRoutes } from '../functions/mcp/routes.ts'
import { metricsRoutes } from '../functions/metrics/routes.ts'
import { migrationRoutes } from '../functions/migration/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { oneTimeCodeRoutes } from '../functions/one-time-codes/routes.ts'
import { peopleRoutes } from '../functions/people/routes.ts'
import { resourceRoutes } from '../functions/resources/routes.ts'
import { rolesRoutes } from '../functions/roles/routes.ts'
import { samlRoutes } from '../functions/saml/routes.ts'
import { signUpRoutes } from '../functions/sign-up/routes.ts'
import { spiffeRoutes } from '../functions/spiffe/routes.ts'
import { tenantsRoutes } from '../functions/tenants/routes.ts'
import { tokensRoutes } from '../functions/tokens/routes.ts'
import { userRoutes } from '../functions/user/routes.ts'
import { userSignInRoutes } from '../functions/user-sign-in/routes.ts'
import { voiceRoutes } from '../functions/voice/routes.ts'
import { webauthnRoutes } from '../functions/webauthn/routes.ts'
import { webhookRoutes } from '../functions/webhooks/routes.ts'
import { wellknownRoutes } from '../functions/wellknown/routes.ts'

/** Named like their folders. Our own paths answer RFC 9457 problems, AuthSec's paths its own error shape. */
export const GROUPS: readonly DocumentedGroup[] = [
  { name: 'auth', about: 'Sign-in of administrators and end users.', routes: authRoutes, render: authsecError },
  { name: 'sign-up', about: 'Sign-up of companies.', routes: signUpRoutes, render: authsecError },
  {
    name: 'user-sign-in',
    about: 'Sign-in, sign-up and password reset of end users at an application.',
    routes: userSignInRoutes,
    render: authsecError,
  },
  { name: 'user', about: 'Administration of end users, their groups and clients.', routes: userRoutes, render: authsecError },
  { name: 'admin', about: 'Administration of people, invitations and groups.', routes: adminRoutes, render: authsecError },
  { name: 'roles', about: 'Roles, permissions, bindings and scopes of a tenant.', routes: rolesRoutes, render: authsecError },
  {
    name: 'tenants',
    about: 'Companies and their domains, providers and projects; health of the deployment.',
    routes: tenantsRoutes,
    render: authsecError,
  },
  { name: 'clients', about: 'Clients of the tenant: applications, services and agents.', routes: clientsRoutes, render: authsecError },
  { name: 'tokens', about: 'Token verification, and checks for other services.', routes: tokensRoutes, render: authsecError },
  { name: 'people', about: 'Administration of people; the tenant\u2019s own data.', routes: peopleRoutes, render: problem },
  { name: 'migration', about: 'Migrations of the database, for platform administrators.', routes: migrationRoutes, render: authsecError },
  {
    name: 'one-time-codes',
    about: 'Authenticator apps, backup codes and text messages as second factors; listing a person\u2019s factors.',
    routes: oneTimeCodeRoutes,
    render: authsecError,
  },
  {
    name: 'factors',
    about: 'A person\u2019s own sign-in methods, step-up inside a session, and recovery after losing factors.',
    routes: factorRoutes,
    render: problem,
  },
  { name: 'account', about: 'A signed-in person\u2019s own sessions, password and address.', routes: accountRoutes, render: problem },
  { name: 'login', about: 'The hosted pages, for people in a browser.', routes: loginRoutes, render: pageError },
  {
    name: 'account-pages',
    about: 'A person\u2019s own hosted pages, and the pages on which a person approves or denies requests.',
    routes: accountPageRoutes,
    render: pageError,
  },
  { name: 'audit', about: 'The tenant\u2019s audit log.', routes: auditRoutes, render: problem },
  { name: 'webhooks', about: 'Webhooks: the tenant\u2019s systems that receive events.', routes: webhookRoutes, render: problem },
  { name: 'access', about: 'Decisions: whether a principal may do something, and why.', routes: accessRoutes, render: problem },
  { name: 'federation', about: 'Sign-in through other identity providers.', routes: federationRoutes, render: authsecError },
  { name: 'webauthn', about: 'Passkeys: registering, signing in with, naming and removing them.', routes: webauthnRoutes, render: authsecError },
  { name: 'mcp', about: 'Sign-in from MCP clients, and permission checks of MCP servers.', routes: mcpRoutes, render: authsecError },
  { name: 'wellknown', about: 'The public keys.', routes: wellknownRoutes, render: problem },
  { name: 'device', about: 'Sign-in on a device without a keyboard (RFC 8628).', routes: deviceRoutes, render: authsecError },
  {
    name: 'ciba',
    about: 'Sign-in that a client starts and a person approves on their own device (OpenID CIBA).',
    routes: cibaRoutes,
    render: authsecError,
  },
  { name: 'voice', about: 'Sign-in through a voice assistant.', routes: voiceRoutes, render: authsecError },
  { name: 'metrics', about: 'Metrics of the whole deployment, for a scraper.', routes: metricsRoutes, render: problem },
  { name: 'resources', about: 'Resource servers, the audiences of access tokens.', routes: resourceRoutes, render: authsecError },
  {
    name: 'connections',
    about: 'Identity providers of a tenant, and the configuration manager of AuthSec.',
    routes: connectionRoutes,
    render: statusError,
  },
  {
    name: 'agents',
    about: 'Agents and their owners, delegation, types of authorization details, and trusted issuers.',
    routes: agentRoutes,
    render: problem,
  },
  {
    name: 'spiffe',
    about: 'Workload identity (SPIFFE): trust domains, registration entries, SVIDs, federation and attestors.',
    routes: spiffeRoutes,
    render: problem,
  },
  { name: 'oauth', about: 'The authorization server: OAuth 2.1 and OpenID Connect.', routes: oauthRoutes, render: authorizationServerError },
  {
    name: 'challenges',
    about: 'Sign-in and consent at a company\u2019s own front end: login and consent challenges.',
    routes: challengeRoutes,
    render: outcomeError,
  },
  {
    name: 'management',
    about: 'People, roles, permissions and companies under AuthSec\u2019s second set of administrative paths.',
    routes: managementRoutes,
    render: authsecError,
  },
  {
    name: 'saml',
    about: 'Sign-in through SAML 2.0 identity providers, and the providers that a tenant trusts.',
    routes: samlRoutes,
    render: outcomeError,
  },
]
