// Rotation of a client's secrets, on a path of our own.
import { rotateClientSecrets } from '#shared/domains/administration/client-rotation'
import { may } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ClientSecretRotation, RotatedClientSecret, RotationPath } from './rotation.schema.ts'

export const rotationRoutes = [
  route({
    id: 'clients.rotateSecret',
    on: 'POST /clients/:id/rotate-secret',
    summary: 'Give a client new secrets; the ones before count for a while longer. They are in this answer and nowhere else.',
    access: may('clients:write'),
    path: RotationPath,
    body: ClientSecretRotation,
    reply: json(200, RotatedClientSecret),
    errors: ['not_found', 'public_client', 'cannot_grant', 'rotation_in_progress'],
    emits: ['client.secret_rotated'],
    render: problem,
    handle: ({ ctx, principal, path, body }) => rotateClientSecrets(ctx, principal, path.id, body),
  }),
]
