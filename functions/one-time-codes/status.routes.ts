// Which factors a person has, below webauthn/admin, webauthn/enduser and webauthn.
import { userOrNobody } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AdminMfaStatus, AdminStatusQuery, EndUserMfaStatus, EndUserStatusQuery, FlatLoginStatus, FlatStatus, MfaState } from './status.schema.ts'

const access = userOrNobody('Only the person\u2019s own session or login transaction gets the factors; every other caller gets the same answer.', {
  class: 'status',
  account: 'email',
})
const state = { access, reply: json(200, MfaState), errors: [], emits: 'nothing' } as const

export const statusRoutes = [
  route({
    ...state,
    id: 'codes.status.admin',
    on: 'POST /authsec/webauthn/admin/mfa/status',
    summary: 'Which factors an administrator has.',
    body: AdminMfaStatus,
    handle: async ({ ctx, principal, body }) => (await import('./status.ts')).mfaStatus(ctx, principal, body),
  }),
  route({
    ...state,
    id: 'codes.loginStatus.admin',
    on: 'POST /authsec/webauthn/admin/mfa/loginStatus',
    summary: 'Which factors an administrator signs in with.',
    body: AdminMfaStatus,
    handle: async ({ ctx, principal, body }) => (await import('./status.ts')).mfaLoginStatus(ctx, principal, body),
  }),
  route({
    ...state,
    id: 'codes.loginStatus.adminByQuery',
    on: 'GET /authsec/webauthn/admin/mfa/loginStatus',
    summary: 'Which factors an administrator signs in with.',
    query: AdminStatusQuery,
    handle: async ({ ctx, principal, query }) => (await import('./status.ts')).mfaLoginStatus(ctx, principal, query),
  }),
  route({
    ...state,
    id: 'codes.status.endUser',
    on: 'POST /authsec/webauthn/enduser/mfa/status',
    summary: 'Which factors an end user has.',
    body: EndUserMfaStatus,
    handle: async ({ ctx, principal, body }) => (await import('./status.ts')).mfaStatus(ctx, principal, body),
  }),
  route({
    ...state,
    id: 'codes.loginStatus.endUser',
    on: 'POST /authsec/webauthn/enduser/mfa/loginStatus',
    summary: 'Which factors an end user signs in with.',
    body: EndUserMfaStatus,
    handle: async ({ ctx, principal, body }) => (await import('./status.ts')).mfaLoginStatus(ctx, principal, body),
  }),
  route({
    ...state,
    id: 'codes.loginStatus.endUserByQuery',
    on: 'GET /authsec/webauthn/enduser/mfa/loginStatus',
    summary: 'Which factors an end user signs in with.',
    query: EndUserStatusQuery,
    handle: async ({ ctx, principal, query }) => (await import('./status.ts')).mfaLoginStatus(ctx, principal, query),
  }),
  route({
    id: 'codes.status.flat',
    on: 'POST /authsec/webauthn/mfa/status',
    summary: 'Which factors a person has.',
    access,
    body: EndUserMfaStatus,
    reply: json(200, FlatStatus),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await import('./status.ts')).flatStatus(ctx, principal, body),
  }),
  route({
    id: 'codes.loginStatus.flat',
    on: 'POST /authsec/webauthn/mfa/loginStatus',
    summary: 'Which factors a person signs in with.',
    access,
    body: EndUserMfaStatus,
    reply: json(200, FlatLoginStatus),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await import('./status.ts')).flatLoginStatus(ctx, principal, body),
  }),
]
