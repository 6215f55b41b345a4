// A voice session: started by an assistant, confirmed by the spoken digits, and ended with a token or a device grant.
import { open } from '#shared/platform/http/access'
import { oauthError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { tokenForPassword } from './password.ts'
import { InitiateVoice, VerifyVoice, VoiceInitiated, VoiceTokenMinted, VoiceTokenRequest, VoiceVerified } from './session.schema.ts'
import { initiateVoice } from './session.ts'
import { verifyVoice } from './verify.ts'

export const voiceSessionRoutes = [
  route({
    id: 'voice.initiate',
    on: 'POST /authsec/uflow/auth/voice/initiate',
    summary: 'Begin a voice session; returns four digits for the person to say.',
    access: open('It grants nothing by itself.', { class: 'code' }),
    body: InitiateVoice,
    reply: json(200, VoiceInitiated),
    errors: ['invalid_client'],
    emits: ['voice.initiated'],
    handle: ({ ctx, body }) => initiateVoice(ctx, body),
  }),
  route({
    id: 'voice.verify',
    on: 'POST /authsec/uflow/auth/voice/verify',
    summary: 'Verify the spoken digits: returns a token for a linked speaker of an authenticated client, otherwise a device grant.',
    access: open('The session token is the proof; five wrong codes end the session.', { class: 'code' }),
    body: VerifyVoice,
    reply: json(200, VoiceVerified),
    errors: ['quota_exceeded'],
    emits: ['voice.verified', 'voice.failed', 'device_grant.requested', 'session.created', 'user.signed_in'],
    handle: ({ ctx, body }) => verifyVoice(ctx, body),
  }),
  route({
    id: 'voice.token',
    on: 'POST /authsec/uflow/auth/voice/token',
    summary: 'Exchange a password for a token in a verified voice session.',
    access: open('The password is the proof.', { class: 'credential', account: 'email' }),
    body: VoiceTokenRequest,
    reply: json(200, VoiceTokenMinted),
    errors: [
      'voice_invalid_request',
      'voice_expired',
      'voice_invalid_grant',
      'invalid_credentials',
      'password_reset_required',
      'temporary_password_expired',
      'email_not_verified',
      'quota_exceeded',
    ],
    emits: ['user.locked', 'session.created', 'user.signed_in'],
    render: oauthError,
    handle: ({ ctx, body }) => tokenForPassword(ctx, body),
  }),
]
