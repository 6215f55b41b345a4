// A PKCE verifier that a front end stores in its own browser until the code arrives.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { StoredVerifier, StoreVerifier } from './pkce.schema.ts'
import { storeVerifier } from './pkce.ts'

export const pkceRoutes = [
  route({
    id: 'challenges.storeVerifier',
    on: 'POST /authsec/hmgr/pkce/store',
    summary: 'Store a PKCE verifier in this browser for 30 minutes, for the exchange of the code.',
    access: open('It is stored in the caller\u2019s own browser and is useful only with a code of that browser.', { class: 'general' }),
    body: StoreVerifier,
    reply: json(200, StoredVerifier),
    errors: ['invalid_request'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => storeVerifier(ctx, body),
  }),
]
