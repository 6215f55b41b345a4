// Routes of a client's registration at the authorization server.
import { may } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { Registration, RegistrationChange, RegistrationPath } from './registration.schema.ts'
import { changeRegistration, readRegistration } from './registration.ts'

export const registrationRoutes = [
  route({
    id: 'clients.readRegistration',
    on: 'GET /clients/:id/registration',
    summary: 'Read the registration of a client at the authorization server.',
    access: may('clients:read'),
    path: RegistrationPath,
    reply: json(200, Registration),
    errors: ['not_found'],
    emits: 'nothing',
    render: problem,
    handle: ({ ctx, principal, path }) => readRegistration(ctx, principal, path.id),
  }),
  route({
    id: 'clients.changeRegistration',
    on: 'PATCH /clients/:id/registration',
    summary: 'Change a client\u2019s redirect URIs, authentication method, scopes and grants.',
    access: may('clients:write'),
    path: RegistrationPath,
    body: RegistrationChange,
    reply: json(200, Registration),
    errors: ['not_found', 'cannot_grant'],
    emits: ['client.registration_changed', 'client.consents_ended'],
    render: problem,
    handle: ({ ctx, principal, path, body }) => changeRegistration(ctx, principal, path.id, body),
  }),
]
