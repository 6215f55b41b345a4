// Rotation of a client's secrets, on a path of our own.
import { rotateSecrets } from '#shared/domains/administration/client-rotation'
import { may } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { Rotated, Rotation, RotationPath } from './rotation.schema.ts'

export const rotationRoutes = [
  route({
    id: 'clients.rotateSecret',
    on: 'POST /clients/:id/rotate-secret',
    summary: 'Give a client new secrets; the ones before count for a while longer. They are in this answer and nowhere else.',
    access: may('clients:write'),
    path: RotationPath,
    body: Rotation,
    reply: json(200, Rotated),
    errors: ['not_found', 'public_client', 'cannot_grant', 'rotation_in_progress'],
    emits: ['client.secret_rotated'],
    render: problem,
    handle: ({ ctx, principal, path, body }) => rotateSecrets(ctx, principal, path.id, body),
  }),
]
