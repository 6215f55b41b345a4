// Routes of end users under uflow/auth/enduser, and the call with which the UI announces a new person.

import { Challenge, MintedToken } from '#shared/domains/sign-in/login-response'
import { createChallenge } from '#shared/domains/sign-in/replay'
import { open, user } from '#shared/platform/http/access'
import { json, oneOfStatuses } from '#shared/platform/http/route'
import { MintBody } from './admin-login.schema.ts'
import {
  EndUserPrecheck,
  EndUserPrechecked,
  InitiateAnswer,
  InitiateRegistration,
  NewUserNotice,
  NoticeSent,
  Verified,
  VerifyOtp,
} from './end-user.schema.ts'
import { route } from './group.ts'

export const endUserRoutes = [
  route({
    id: 'auth.endUser.challenge',
    on: 'GET /authsec/uflow/auth/enduser/challenge',
    summary: 'Create a challenge for one sign-in.',
    access: open('Before authentication.', { class: 'status' }),
    reply: json(200, Challenge),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => createChallenge(ctx),
  }),
  route({
    id: 'auth.endUser.initiateRegistration',
    on: 'POST /authsec/uflow/auth/enduser/initiate-registration',
    summary: 'Sign up at an application.',
    access: open('A person who signs up has no account yet.', { class: 'credential', account: 'email' }),
    body: InitiateRegistration,
    reply: oneOfStatuses({ 200: InitiateAnswer, 201: InitiateAnswer }),
    errors: [
      'invalid_client',
      'password_too_short',
      'password_too_long',
      'password_guessable',
      'password_breached',
      'too_many_codes',
      'quota_exceeded',
    ],
    emits: ['registration.started', 'user.created'],
    handle: async ({ ctx, body }) => (await import('./end-user.ts')).initiateRegistration(ctx, body),
  }),
  route({
    id: 'auth.endUser.verifyOtp',
    on: 'POST /authsec/uflow/auth/enduser/verify-otp',
    summary: 'Confirm the address with the mailed code.',
    access: open('The mailed code is the proof.', { class: 'code', account: 'email' }),
    body: VerifyOtp,
    reply: json(200, Verified),
    errors: ['direct_registration', 'invalid_client', 'invalid_otp', 'registration_expired', 'email_taken', 'quota_exceeded'],
    emits: ['user.created'],
    handle: async ({ ctx, body }) => (await import('./end-user.ts')).verifyOtp(ctx, body),
  }),
  route({
    id: 'auth.endUser.precheck',
    on: 'POST /authsec/uflow/auth/enduser/login/precheck',
    summary: 'Read what the sign-in page needs to know of a client.',
    access: open('Before authentication; the same for every address.', { class: 'status' }),
    body: EndUserPrecheck,
    reply: json(200, EndUserPrechecked),
    errors: ['invalid_client', 'not_found', 'invalid_credentials'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => (await import('./end-user.ts')).precheckEndUser(ctx, body),
  }),
  route({
    id: 'auth.endUser.finishLogin',
    on: 'POST /authsec/uflow/auth/enduser/webauthn-callback',
    summary: "An end user's token, against the login transaction.",
    access: open('The login transaction is the proof.', { class: 'credential', account: 'email' }),
    body: MintBody,
    reply: json(200, MintedToken),
    errors: ['mfa_verification_failed', 'quota_exceeded'],
    emits: ['session.created', 'user.signed_in'],
    handle: async ({ ctx, body }) => (await import('./end-user.ts')).finishEndUserLogin(ctx, body),
  }),
  route({
    id: 'auth.notifyNewUser',
    on: 'POST /authsec/uflow/auth/notify/new-user-registration',
    summary: 'Notify the administrators of a new person, at most once per person.',
    access: user(),
    body: NewUserNotice,
    reply: json(200, NoticeSent),
    errors: [],
    emits: ['user.announced'],
    handle: async ({ ctx, principal }) => {
      await (await import('./end-user.ts')).announceNewUser(ctx, principal)
      return { success: true as const, message: 'Your administrators know.' }
    },
  }),
]
