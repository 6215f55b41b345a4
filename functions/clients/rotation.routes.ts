// The route to rotate a client's secrets.
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
    summary: 'Give a client new secrets, returned only here; the previous ones stay valid for a while.',
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
