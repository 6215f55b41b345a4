// A person's own voice accounts.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { Link, Linked, Links, Unlink, Unlinked } from './links.schema.ts'
import { link, links, unlink } from './links.ts'

export const linkRoutes = [
  route({
    id: 'voice.link',
    on: 'POST /authsec/uflow/auth/voice/link',
    summary: 'Link a voice account to the caller.',
    access: user(),
    body: Link,
    reply: json(200, Linked),
    errors: ['insufficient_user_authentication', 'forbidden', 'conflict'],
    emits: ['voice.linked'],
    handle: ({ ctx, principal, body }) => link(ctx, principal, body),
  }),
  route({
    id: 'voice.unlink',
    on: 'POST /authsec/uflow/auth/voice/unlink',
    summary: 'Unlink one of the caller\u2019s voice accounts, or all of a platform.',
    access: user(),
    body: Unlink,
    reply: json(200, Unlinked),
    errors: [],
    emits: ['voice.unlinked'],
    handle: ({ ctx, principal, body }) => unlink(ctx, principal, body),
  }),
  route({
    id: 'voice.links',
    on: 'GET /authsec/uflow/auth/voice/links',
    summary: 'The caller\u2019s voice accounts.',
    access: user(),
    reply: json(200, Links),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => links(ctx, principal),
  }),
]
