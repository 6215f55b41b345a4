// The caller's own session, at both places.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AuthStatus, AuthStatusQuery, TokenPermissions, TokenProfile } from './profile.schema.ts'
import { showPermissions, showProfile, showStatus } from './profile.ts'

const profileRoutesOf = (side: 'admin' | 'user') => [
  route({
    id: `tokens.${side}.profile`,
    on: `GET /authsec/authmgr/${side}/profile`,
    summary: 'Who the session is, and what it may do now.',
    access: user(),
    reply: json(200, TokenProfile),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showProfile(ctx, principal),
  }),
  route({
    id: `tokens.${side}.authStatus`,
    on: `GET /authsec/authmgr/${side}/auth-status`,
    summary: 'Rights and factors of a person of the tenant: oneself, or anybody for those who may see people.',
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
    summary: 'Everything that the session may do for the whole tenant now.',
    access: user(),
    reply: json(200, TokenPermissions),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showPermissions(ctx, principal),
  }),
]

export const profileRoutes = [...profileRoutesOf('admin'), ...profileRoutesOf('user')]
