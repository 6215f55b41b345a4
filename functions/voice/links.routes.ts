// A person's own voice accounts.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { LinkVoice, UnlinkVoice, VoiceLinked, VoiceLinks, VoiceUnlinked } from './links.schema.ts'
import { linkVoice, showVoiceLinks, unlinkVoice } from './links.ts'

export const voiceLinkRoutes = [
  route({
    id: 'voice.link',
    on: 'POST /authsec/uflow/auth/voice/link',
    summary: 'Link a voice account to the caller.',
    access: user(),
    body: LinkVoice,
    reply: json(200, VoiceLinked),
    errors: ['insufficient_user_authentication', 'forbidden', 'conflict'],
    emits: ['voice.linked'],
    handle: ({ ctx, principal, body }) => linkVoice(ctx, principal, body),
  }),
  route({
    id: 'voice.unlink',
    on: 'POST /authsec/uflow/auth/voice/unlink',
    summary: 'Unlink one of the caller\u2019s voice accounts, or all of one platform.',
    access: user(),
    body: UnlinkVoice,
    reply: json(200, VoiceUnlinked),
    errors: [],
    emits: ['voice.unlinked'],
    handle: ({ ctx, principal, body }) => unlinkVoice(ctx, principal, body),
  }),
  route({
    id: 'voice.links',
    on: 'GET /authsec/uflow/auth/voice/links',
    summary: 'The caller\u2019s voice accounts.',
    access: user(),
    reply: json(200, VoiceLinks),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showVoiceLinks(ctx, principal),
  }),
]
