// Routes for a person's own sessions.
import { endOtherSessions, endSession, listSessions, signOut } from '#shared/domains/account/sessions'
import { AccountSessions, RevokedSessions, SessionPath } from '#shared/domains/account/sessions.schema'
import { user, userWithTemporaryPassword } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'

export const accountSessionRoutes = [
  route({
    id: 'account.listSessions',
    on: 'GET /account/sessions',
    summary: 'List the caller\u2019s live sessions, with device, address and place.',
    access: user(),
    reply: json(200, AccountSessions),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => listSessions(ctx, principal),
  }),
  route({
    id: 'account.endSession',
    on: 'DELETE /account/sessions/:session_id',
    summary: 'End one of the caller\u2019s sessions.',
    access: user(),
    path: SessionPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['session.revoked'],
    handle: ({ ctx, principal, path }) => endSession(ctx, principal, path.session_id),
  }),
  route({
    id: 'account.endOtherSessions',
    on: 'POST /account/sessions/end-others',
    summary: 'End all of the caller\u2019s sessions but this one.',
    access: user(),
    reply: json(200, RevokedSessions),
    errors: [],
    emits: ['sessions.revoked'],
    handle: ({ ctx, principal }) => endOtherSessions(ctx, principal),
  }),
  route({
    id: 'account.signOut',
    on: 'POST /account/sign-out',
    summary: 'End this session.',
    access: userWithTemporaryPassword(),
    reply: empty(204),
    errors: [],
    emits: ['user.signed_out'],
    handle: ({ ctx, principal }) => signOut(ctx, principal),
  }),
]
