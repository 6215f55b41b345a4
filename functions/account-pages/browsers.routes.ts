// Routes of the devices that receive sign-in prompts.
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { browser, open } from '#shared/platform/http/access'
import { PageQuery } from '#shared/platform/http/pages/fields.schema'
import { empty, htmlOrRedirect, text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { DeviceForm, SubscriptionForm } from './page.schema.ts'

const RECENT = { withinSeconds: STEP_UP_SECONDS } as const

export const browserRoutes = [
  route({
    id: 'accountPages.browser',
    on: 'GET /me/browser',
    summary: 'The page to register this browser for sign-in prompts.',
    access: browser({ stepUp: RECENT }),
    query: PageQuery,
    reply: htmlOrRedirect(),
    errors: ['insufficient_user_authentication'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./browsers.page.tsx')).browserPage(ctx, principal),
  }),
  route({
    id: 'accountPages.addBrowser',
    on: 'POST /me/browser',
    summary: 'Register this browser for sign-in prompts, bound to this session.',
    access: browser({ stepUp: RECENT }),
    form: SubscriptionForm,
    reply: empty(303),
    errors: ['not_found', 'insufficient_user_authentication', 'factor_limit'],
    emits: ['push_device.registered', 'push_device.removed'],
    handle: async ({ ctx, principal, form }) => (await import('./browsers.ts')).addBrowser(ctx, principal, form.subscription),
  }),
  route({
    id: 'accountPages.removeDevice',
    on: 'POST /me/browser/remove',
    summary: 'Stop sending prompts to one of the caller\u2019s devices.',
    access: browser({ form: '/me' }),
    form: DeviceForm,
    reply: empty(303),
    errors: ['not_found'],
    emits: ['push_device.removed'],
    handle: async ({ ctx, principal, form }) => (await import('./browsers.ts')).removeBrowser(ctx, principal, form.device_id),
  }),
  route({
    id: 'accountPages.pushWorker',
    on: 'GET /me/push.js',
    summary: 'The service worker that displays push messages.',
    access: open('A script without personal data.', { class: 'general' }),
    reply: text(200, 'text/javascript; charset=utf-8'),
    cache: 'no-cache',
    errors: [],
    emits: 'nothing',
    handle: async () => (await import('#shared/platform/pages/push-worker.client.generated')).SCRIPT,
  }),
]
