// A client's registration at the authorization server, on a path of our own.
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
    summary: 'What the authorization server knows of a client.',
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
    summary: 'Change where a client\u2019s answers go, how it proves itself, and what it may ask for.',
    access: may('clients:write'),
    path: RegistrationPath,
    body: RegistrationChange,
    reply: json(200, Registration),
    errors: ['not_found', 'cannot_grant'],
    emits: ['client.registration_changed'],
    render: problem,
    handle: ({ ctx, principal, path, body }) => changeRegistration(ctx, principal, path.id, body),
  }),
]
