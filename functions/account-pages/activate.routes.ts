// Device activation on the hosted pages (RFC 8628), and the address that AuthSec uses for it.
import { browser, open, page } from '#shared/platform/http/access'
import { empty, HttpResult, htmlOrRedirect } from '#shared/platform/http/route'
import { continueActivation, decideActivation } from './activate.ts'
import { route } from './group.ts'
import { ActivateQuery, DecidedQuery, DecisionForm, UserCodeForm } from './page.schema.ts'

const NO_LOOKUP = 'No code is looked up before the person signs in.'
const APPLICATION_LOOKUP = 'A code leads a signed-out person to the sign-in page of its application; wrong codes count toward a limit.'

export const activateRoutes = [
  route({
    id: 'accountPages.activateAddress',
    on: 'GET /authsec/uflow/activate',
    summary: 'Redirect to the activation page, with the code filled in.',
    access: open(NO_LOOKUP, { class: 'general' }),
    query: ActivateQuery,
    reply: empty(302),
    errors: [],
    emits: 'nothing',
    handle: async ({ query }) => {
      const code = query.user_code === undefined ? '' : `?${new URLSearchParams({ user_code: query.user_code })}`
      return new HttpResult(undefined, { headers: { Location: `/activate${code}` } })
    },
  }),
  route({
    id: 'accountPages.activate',
    on: 'GET /activate',
    summary: 'The page to enter the code that a device displays.',
    access: page(NO_LOOKUP, { class: 'general' }),
    query: ActivateQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./activate.page.tsx')).activatePage(ctx, principal, query.user_code),
  }),
  route({
    id: 'accountPages.enterUserCode',
    on: 'POST /activate',
    summary: 'Continue with a code; a person who is not signed in signs in first.',
    access: page(APPLICATION_LOOKUP, { class: 'status' }),
    form: UserCodeForm,
    reply: empty(303),
    errors: ['invalid_user_code'],
    emits: 'nothing',
    handle: ({ ctx, form, principal }) => continueActivation(ctx, principal, form.user_code),
  }),
  route({
    id: 'accountPages.askDevice',
    on: 'GET /activate/device',
    summary: 'The client behind a code, and what it requests.',
    access: browser({ limit: { class: 'code' } }),
    query: ActivateQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./activate.page.tsx')).activationPromptPage(ctx, principal, query.user_code),
  }),
  route({
    id: 'accountPages.decideDevice',
    on: 'POST /activate/device',
    summary: 'Approve or deny the device.',
    access: browser({ form: '/activate', limit: { class: 'code' } }),
    form: DecisionForm,
    reply: empty(303),
    errors: ['invalid_user_code', 'cross_site'],
    emits: ['device_grant.approved', 'device_grant.denied'],
    handle: ({ ctx, principal, form }) => decideActivation(ctx, principal, form.user_code, form.decision === 'approve'),
  }),
  route({
    id: 'accountPages.deviceDecided',
    on: 'GET /activate/done',
    summary: 'The result of the decision.',
    access: page('Displays only what its address contains.', { class: 'general' }),
    query: DecidedQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./activate.page.tsx')).activationDecidedPage(ctx, principal, query.state ?? 'denied'),
  }),
]
