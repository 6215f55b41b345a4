// Signing in through a SAML identity provider: start, assertion consumer service and metadata.

import { open, page } from '#shared/platform/http/access'
import { empty, HttpResult, html, json, text } from '#shared/platform/http/route'
import { lazyPageError, outcomeErrorOrPage } from '#shared/platform/pages/lazy-error.tsx'
import { route } from './group.ts'
import { AcsForm, InitiatePath, InitiateSaml, SamlInitiated, SamlPageQuery, ServicePath } from './initiate.schema.ts'

/** Modules are imported on use, because XML libraries are slow to load. */
const [initiating, receiving] = [() => import('./initiate.ts'), () => import('./acs.ts')]

const acs = {
  access: open('The signature, the request that it answers and the cookie of the browser that began the sign-in are the proof.', {
    class: 'general',
  }),
  form: AcsForm,
  reply: html(200),
  errors: ['invalid_request', 'saml_mismatch', 'saml_response_invalid'],
  emits: 'nothing',
  maxBodyBytes: 512 * 1024,
  render: outcomeErrorOrPage,
} as const

export const samlSignInRoutes = [
  route({
    id: 'saml.initiate',
    on: 'POST /authsec/hmgr/saml/initiate/:provider',
    summary: 'Begin a sign-in through a SAML provider, for a front end that holds a login challenge.',
    access: open('This starts a sign-in; the provider identifies the person.', { class: 'status' }),
    path: InitiatePath,
    body: InitiateSaml,
    reply: json(200, SamlInitiated),
    errors: ['saml_client_unknown', 'saml_provider_unknown', 'provider_not_enabled', 'redirect_refused'],
    emits: ['saml_key.created'],
    handle: async ({ ctx, path, body }) => (await initiating()).initiateSaml(ctx, path.provider, body),
  }),
  route({
    id: 'saml.initiateOnPage',
    on: 'GET /signin/saml',
    summary: 'Redirect from our own sign-in page to a SAML provider.',
    access: page('This starts a sign-in; the provider identifies the person.', { class: 'general' }),
    query: SamlPageQuery,
    reply: empty(303),
    errors: ['saml_provider_unknown', 'provider_not_enabled'],
    emits: ['saml_key.created'],
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await initiating()).initiateSamlOnPage(ctx, query),
  }),
  route({
    ...acs,
    id: 'saml.acs',
    on: 'POST /authsec/hmgr/saml/acs',
    summary: 'Receive a SAML provider\u2019s response.',
    handle: async ({ ctx, form }) => {
      const proved = await (await receiving()).receiveAssertion(ctx, form, undefined)
      return (await import('./acs.page.tsx')).acsPage(ctx, proved)
    },
  }),
  route({
    ...acs,
    id: 'saml.acsOfClient',
    on: 'POST /authsec/hmgr/saml/acs/:tenant_id/:client_id',
    summary: 'Receive a SAML provider\u2019s response for one client.',
    path: ServicePath,
    handle: async ({ ctx, path, form }) => {
      const proved = await (await receiving()).receiveAssertion(ctx, form, { tenantId: path.tenant_id, clientId: path.client_id })
      return (await import('./acs.page.tsx')).acsPage(ctx, proved)
    },
  }),
  route({
    id: 'saml.metadata',
    on: 'GET /authsec/hmgr/saml/metadata/:tenant_id/:client_id',
    summary: 'Service provider metadata of a client.',
    access: open('Providers read it before trust is set up; it contains no secret.', { class: 'status' }),
    path: ServicePath,
    reply: text(200, 'application/xml'),
    errors: ['not_found'],
    emits: ['saml_key.created'],
    handle: async ({ ctx, path }) => new HttpResult(await (await import('./metadata.ts')).showMetadata(ctx, path)),
  }),
]
