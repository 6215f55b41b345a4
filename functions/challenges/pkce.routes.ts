// A PKCE verifier that a front end leaves in its own browser until the code is there.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { StoredVerifier, StoreVerifier } from './pkce.schema.ts'
import { storeVerifier } from './pkce.ts'

export const pkceRoutes = [
  route({
    id: 'challenges.storeVerifier',
    on: 'POST /authsec/hmgr/pkce/store',
    summary: 'Keep a PKCE verifier in this browser for half an hour, for the exchange of the code.',
    access: open('It is kept in the caller\u2019s own browser, and helps with a code of that browser alone.', { class: 'general' }),
    body: StoreVerifier,
    reply: json(200, StoredVerifier),
    errors: ['invalid_request'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => storeVerifier(ctx, body),
  }),
]
