// Routes to read the caller's own session, at both prefixes.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AuthStatus, AuthStatusQuery, TokenPermissions, TokenProfile } from './profile.schema.ts'
import { showPermissions, showProfile, showStatus } from './profile.ts'

const profileRoutesOf = (side: 'admin' | 'user') => [
  route({
    id: `tokens.${side}.profile`,
    on: `GET /authsec/authmgr/${side}/profile`,
    summary: 'Return the person of the session and its current permissions.',
    access: user(),
    reply: json(200, TokenProfile),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showProfile(ctx, principal),
  }),
  route({
    id: `tokens.${side}.authStatus`,
    on: `GET /authsec/authmgr/${side}/auth-status`,
    summary: 'Return permissions and factors of a person: the caller, or another person with permission to read people.',
    access: user(),
    query: AuthStatusQuery,
    reply: json(200, AuthStatus),
    errors: ['insufficient_scope', 'not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => showStatus(ctx, principal, query),
  }),
  route({
    id: `tokens.${side}.permissions`,
    on: `GET /authsec/authmgr/${side}/permissions`,
    summary: 'List the tenant-wide permissions of the session.',
    access: user(),
    reply: json(200, TokenPermissions),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showPermissions(ctx, principal),
  }),
]

export const profileRoutes = [...profileRoutesOf('admin'), ...profileRoutesOf('user')]
