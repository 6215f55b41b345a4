// AuthSec's four forms of the ceremonies. They differ in member names only; access and rules are the same.
import type * as z from 'zod'
import type { ErrorCode } from '#shared/kernel/errors'
import { user, userOrNobody } from '#shared/platform/http/access'
import { json, type Schema } from '#shared/platform/http/route'
import {
  type AuthenticationFinish,
  type AuthenticationForm,
  beginAuthentication,
  finishAuthentication,
  type MissingCeremony,
  parseAssertion,
} from './authentication.ts'
import { CreationOptions, RequestOptions } from './credential.schema.ts'
import * as forms from './forms.schema.ts'
import { route } from './group.ts'
import { type BeginRegistration, beginRegistration, type FinishRegistration, finishRegistration } from './registration.ts'

const WHY = 'The login ticket, or a bearer token, is the proof.'
const BEGINS = userOrNobody(WHY, { class: 'status' })
const FINISHES = userOrNobody(WHY, { class: 'code', account: 'email' })
const IN_SESSION_BEGINS = user(undefined, { class: 'status' })
const IN_SESSION_FINISHES = user(undefined, { class: 'code', account: 'email' })

const PROOF = ['authentication_required', 'insufficient_user_authentication', 'mailbox_proof_required'] as const satisfies readonly ErrorCode[]
const ANSWER_BYTES = 128 * 1024

type Half<Body> = { readonly id: string; readonly on: `POST /${string}`; readonly body: z.ZodType<Body>; readonly session?: boolean }

const beginsRegistration = ({ id, on, body, session = false }: Half<BeginRegistration>) =>
  route({
    id,
    on,
    summary: 'Options for creating a passkey.',
    access: session ? IN_SESSION_BEGINS : BEGINS,
    body,
    reply: json(200, CreationOptions),
    errors: [...PROOF, 'invalid_client', 'invalid_origin'],
    emits: 'nothing',
    handle: ({ ctx, principal, body: sent }) => beginRegistration(ctx, principal, sent),
  })

const finishesRegistration = ({ id, on, body, session = false }: Half<FinishRegistration>, answer: Schema) =>
  route({
    id,
    on,
    summary: 'Register the created passkey. Never returns a token.',
    access: session ? IN_SESSION_FINISHES : FINISHES,
    body,
    maxBodyBytes: ANSWER_BYTES,
    reply: json(200, answer),
    errors: [...PROOF, 'no_registration_session', 'registration_failed', 'factor_limit'],
    emits: ['factor.added'],
    handle: ({ ctx, principal, body: sent }) => finishRegistration(ctx, principal, sent),
  })

const beginsAuthentication = ({ id, on, body }: Half<BeginRegistration>, form: AuthenticationForm) =>
  route({
    id,
    on,
    summary: 'Options for using a passkey.',
    access: BEGINS,
    body,
    reply: json(200, RequestOptions),
    errors: ['authentication_required', 'invalid_origin', form.missing.code],
    emits: 'nothing',
    handle: ({ ctx, principal, body: sent }) => beginAuthentication(ctx, principal, sent, form),
  })

const finishesAuthentication = ({ id, on, body }: Half<AuthenticationFinish>, form: AuthenticationForm, answer: Schema) =>
  route({
    id,
    on,
    summary: 'Verify a passkey assertion: continues the login transaction, or renews a session under a new token.',
    access: FINISHES,
    body,
    maxBodyBytes: ANSWER_BYTES,
    reply: json(200, answer),
    errors: ['authentication_required', 'no_authentication_session', 'passkey_refused', 'invalid_request'],
    emits: ['factor.verified', 'session.stepped_up', 'passkey.counter_regressed'],
    handle: ({ ctx, principal, body: sent }) => finishAuthentication(ctx, principal, { ...sent, credential: parseAssertion(sent) }, form),
  })

const NONE: MissingCeremony = { code: 'no_credentials' }
const REGISTER_FIRST: MissingCeremony = { code: 'credentials_required', extra: { error: 'no_credentials', registration_required: true } }
const FORM: AuthenticationForm = { purpose: 'authentication', missing: NONE }
const FLAT: AuthenticationForm = { purpose: 'authentication', missing: REGISTER_FIRST }
const LOGIN: AuthenticationForm = { purpose: 'login', missing: REGISTER_FIRST }

const ADMIN = 'POST /authsec/webauthn/admin'
const END_USER = 'POST /authsec/webauthn/enduser'
const ROOT = 'POST /authsec/webauthn'
const BIOMETRIC = 'POST /authsec/webauthn/biometric'

const adminForm = [
  beginsRegistration({ id: 'webauthn.admin.beginRegistration', on: `${ADMIN}/beginRegistration`, body: forms.AdminBegin }),
  finishesRegistration(
    { id: 'webauthn.admin.finishRegistration', on: `${ADMIN}/finishRegistration`, body: forms.AdminFinishRegistration },
    forms.AdminRegistered,
  ),
  beginsAuthentication({ id: 'webauthn.admin.beginAuthentication', on: `${ADMIN}/beginAuthentication`, body: forms.AdminBegin }, FORM),
  finishesAuthentication(
    { id: 'webauthn.admin.finishAuthentication', on: `${ADMIN}/finishAuthentication`, body: forms.AdminFinishAuthentication },
    FORM,
    forms.AdminAuthenticated,
  ),
]

const endUserForm = [
  beginsRegistration({ id: 'webauthn.endUser.beginRegistration', on: `${END_USER}/beginRegistration`, body: forms.EndUserBeginRegistration }),
  finishesRegistration(
    { id: 'webauthn.endUser.finishRegistration', on: `${END_USER}/finishRegistration`, body: forms.EndUserFinishRegistration },
    forms.AdminRegistered,
  ),
  beginsAuthentication(
    { id: 'webauthn.endUser.beginAuthentication', on: `${END_USER}/beginAuthentication`, body: forms.EndUserBeginAuthentication },
    FORM,
  ),
  finishesAuthentication(
    { id: 'webauthn.endUser.finishAuthentication', on: `${END_USER}/finishAuthentication`, body: forms.EndUserFinishAuthentication },
    FORM,
    forms.AdminAuthenticated,
  ),
]

const flatForm = [
  beginsRegistration({ id: 'webauthn.beginRegistration', on: `${ROOT}/beginRegistration`, body: forms.FlatBegin }),
  beginsRegistration({ id: 'webauthn.beginAuthRegistration', on: `${ROOT}/beginAuthRegistration`, body: forms.FlatBegin }),
  finishesRegistration(
    { id: 'webauthn.finishRegistration', on: `${ROOT}/finishRegistration`, body: forms.FlatFinishRegistration },
    forms.FlatRegistered,
  ),
  beginsAuthentication({ id: 'webauthn.beginAuthentication', on: `${ROOT}/beginAuthentication`, body: forms.FlatBegin }, FLAT),
  finishesAuthentication(
    { id: 'webauthn.finishAuthentication', on: `${ROOT}/finishAuthentication`, body: forms.FlatFinishAuthentication },
    FLAT,
    forms.FlatAuthenticated,
  ),
]

const biometricForm = [
  beginsAuthentication({ id: 'webauthn.biometric.verifyBegin', on: `${BIOMETRIC}/verifyBegin`, body: forms.FlatBegin }, FLAT),
  finishesAuthentication(
    { id: 'webauthn.biometric.verifyFinish', on: `${BIOMETRIC}/verifyFinish`, body: forms.FinishAuthentication },
    FLAT,
    forms.FlatAuthenticated,
  ),
  beginsRegistration({ id: 'webauthn.biometric.beginSetup', on: `${BIOMETRIC}/beginSetup`, body: forms.FlatBegin, session: true }),
  finishesRegistration(
    { id: 'webauthn.biometric.confirmSetup', on: `${BIOMETRIC}/confirmSetup`, body: forms.FlatFinishRegistration, session: true },
    forms.AdminRegistered,
  ),
  beginsRegistration({ id: 'webauthn.biometric.beginLoginSetup', on: `${BIOMETRIC}/beginLoginSetup`, body: forms.FlatBegin }),
  finishesRegistration(
    { id: 'webauthn.biometric.confirmLoginSetup', on: `${BIOMETRIC}/confirmLoginSetup`, body: forms.FlatFinishRegistration },
    forms.FlatRegistered,
  ),
  beginsAuthentication({ id: 'webauthn.biometric.verifyLoginBegin', on: `${BIOMETRIC}/verifyLoginBegin`, body: forms.FlatBegin }, LOGIN),
  finishesAuthentication(
    { id: 'webauthn.biometric.verifyLoginFinish', on: `${BIOMETRIC}/verifyLoginFinish`, body: forms.FinishAuthentication },
    LOGIN,
    forms.FlatAuthenticated,
  ),
]

export const formRoutes = [...adminForm, ...endUserForm, ...flatForm, ...biometricForm]
