// Signing in with only a passkey. An extension: AuthSec has no form for it.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { RequestOptions } from './credential.schema.ts'
import { route } from './group.ts'
import { BeginPasskey, FinishPasskey, PasskeyVerified } from './passkey.schema.ts'
import { beginPasskey, finishPasskey } from './passkey.ts'

export const passkeyRoutes = [
  route({
    id: 'webauthn.passkey.begin',
    on: 'POST /authsec/webauthn/passkey/begin',
    summary: 'Options for signing in with a passkey that the browser offers, also by autofill.',
    access: open('Requested before the person is known; the answer reveals no account.', { class: 'polling' }),
    body: BeginPasskey,
    reply: json(200, RequestOptions),
    errors: ['invalid_origin', 'invalid_client'],
    emits: 'nothing',
    handle: ({ ctx, body }) => beginPasskey(ctx, body),
  }),
  route({
    id: 'webauthn.passkey.finish',
    on: 'POST /authsec/webauthn/passkey/finish',
    summary: 'Verify a passkey sign-in; returns a login ticket for the step that issues the token.',
    access: open('The passkey is the proof.', { class: 'code' }),
    body: FinishPasskey,
    maxBodyBytes: 128 * 1024,
    reply: json(200, PasskeyVerified),
    errors: ['no_authentication_session', 'passkey_refused', 'email_not_verified'],
    emits: ['factor.verified', 'passkey.counter_regressed'],
    handle: ({ ctx, body }) => finishPasskey(ctx, body),
  }),
]
