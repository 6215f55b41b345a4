// Every group's routes, for the local process and for tools. No Lambda imports it.

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
import { tenantsRoutes } from '../functions/tenants/routes.ts'
import { tokensRoutes } from '../functions/tokens/routes.ts'
import { userRoutes } from '../functions/user/routes.ts'
import { userSignInRoutes } from '../functions/user-sign-in/routes.ts'
import { voiceRoutes } from '../functions/voice/routes.ts'
import { webauthnRoutes } from '../functions/webauthn/routes.ts'
import { webhookRoutes } from '../functions/webhooks/routes.ts'
import { wellknownRoutes } from '../functions/wellknown/routes.ts'

/** Named as their folders. Paths of our own answer RFC 9457 problems, those of AuthSec its own shape. */
export const GROUPS: readonly DocumentedGroup[] = [
  { name: 'auth', about: 'How administrators and end users come in.', routes: authRoutes, render: authsecError },
  { name: 'sign-up', about: 'How a company signs up.', routes: signUpRoutes, render: authsecError },
  {
    name: 'user-sign-in',
    about: 'Sign-in, sign-up and password reset of end users at an application.',
    routes: userSignInRoutes,
    render: authsecError,
  },
  { name: 'user', about: 'End users as administrators keep them, their groups and clients.', routes: userRoutes, render: authsecError },
  { name: 'admin', about: 'People of a company, invitations and groups, for its administrators.', routes: adminRoutes, render: authsecError },
  { name: 'roles', about: 'Roles, permissions, bindings and scopes of a tenant.', routes: rolesRoutes, render: authsecError },
  {
    name: 'tenants',
    about: 'Companies and what belongs to one: domains, providers, projects; and health of the deployment.',
    routes: tenantsRoutes,
    render: authsecError,
  },
  { name: 'clients', about: 'Clients of the tenant: applications, services and agents.', routes: clientsRoutes, render: authsecError },
  { name: 'tokens', about: 'What a token is worth, and checks for other services.', routes: tokensRoutes, render: authsecError },
  { name: 'people', about: 'People as administrators keep them; a tenant\u2019s own data.', routes: peopleRoutes, render: problem },
  { name: 'migration', about: 'Migrations of the database, for platform administrators.', routes: migrationRoutes, render: authsecError },
  {
    name: 'one-time-codes',
    about: 'Authenticator apps, backup codes and text messages as second factors; which factors somebody has.',
    routes: oneTimeCodeRoutes,
    render: authsecError,
  },
  {
    name: 'factors',
    about: 'One\u2019s own sign-in methods, proving more inside a session, and the ways back for who lost their factors.',
    routes: factorRoutes,
    render: problem,
  },
  { name: 'account', about: 'A signed-in person\u2019s own sessions, password and address.', routes: accountRoutes, render: problem },
  { name: 'login', about: 'The hosted pages, for people in a browser.', routes: loginRoutes, render: pageError },
  {
    name: 'account-pages',
    about: 'A person\u2019s own hosted pages, and those on which a person answers who asks.',
    routes: accountPageRoutes,
    render: pageError,
  },
  { name: 'audit', about: 'The tenant\u2019s record, for those who may read it.', routes: auditRoutes, render: problem },
  { name: 'webhooks', about: 'Systems of the tenant that are told what happens.', routes: webhookRoutes, render: problem },
  { name: 'access', about: 'Who may do what, and why.', routes: accessRoutes, render: problem },
  { name: 'federation', about: 'Signing in through other providers.', routes: federationRoutes, render: authsecError },
  { name: 'webauthn', about: 'Passkeys: registered, used as a factor or alone, named, removed.', routes: webauthnRoutes, render: authsecError },
  { name: 'mcp', about: 'Signing in from MCP clients, and what MCP servers ask about their tools.', routes: mcpRoutes, render: authsecError },
  { name: 'wellknown', about: 'The public keys.', routes: wellknownRoutes, render: problem },
  { name: 'device', about: 'Sign-in on a device without a keyboard (RFC 8628).', routes: deviceRoutes, render: authsecError },
  { name: 'ciba', about: 'A client asks a person through the person\u2019s phone (OpenID CIBA).', routes: cibaRoutes, render: authsecError },
  { name: 'voice', about: 'Sign-in through a voice assistant.', routes: voiceRoutes, render: authsecError },
  { name: 'metrics', about: 'Metrics of the whole deployment, for a scraper.', routes: metricsRoutes, render: problem },
  { name: 'resources', about: 'Resource servers: whom access tokens are for.', routes: resourceRoutes, render: authsecError },
  {
    name: 'connections',
    about: 'How a tenant\u2019s people sign in through other providers: the tenant\u2019s own, and the configuration manager of AuthSec.',
    routes: connectionRoutes,
    render: statusError,
  },
  {
    name: 'agents',
    about: 'Agents and who answers for them, what people may leave to them, what may be asked for in detail, and whose word counts from elsewhere.',
    routes: agentRoutes,
    render: problem,
  },
  { name: 'oauth', about: 'The authorization server: OAuth 2.1 and OpenID Connect.', routes: oauthRoutes, render: authorizationServerError },
  {
    name: 'challenges',
    about: 'Signing in and consenting at a front end of a company\u2019s own: login and consent challenges.',
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
    about: 'Signing in through SAML 2.0 identity providers, and which ones a tenant trusts.',
    routes: samlRoutes,
    render: outcomeError,
  },
]
