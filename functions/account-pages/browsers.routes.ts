// Phones and browsers that are asked, on our own pages.

import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { browser, open } from '#shared/platform/http/access'
import { PageQuery } from '#shared/platform/http/pages/fields.schema'
import { empty, htmlOrRedirect, text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { DeviceForm, SubscriptionForm } from './page.schema.ts'

const FRESH = { withinSeconds: STEP_UP_SECONDS } as const

export const browserRoutes = [
  route({
    id: 'accountPages.browser',
    on: 'GET /me/browser',
    summary: 'The page on which the browser at hand is registered for requests.',
    access: browser({ stepUp: FRESH }),
    query: PageQuery,
    reply: htmlOrRedirect(),
    errors: ['insufficient_user_authentication'],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('./browsers.page.tsx')).browserPage(ctx, principal),
  }),
  route({
    id: 'accountPages.addBrowser',
    on: 'POST /me/browser',
    summary: 'Register the browser at hand: from now on this session speaks for it.',
    access: browser({ stepUp: FRESH }),
    form: SubscriptionForm,
    reply: empty(303),
    errors: ['not_found', 'insufficient_user_authentication', 'factor_limit'],
    emits: ['push_device.registered', 'push_device.removed'],
    handle: async ({ ctx, principal, form }) => (await import('./browsers.ts')).addBrowser(ctx, principal, form.subscription),
  }),
  route({
    id: 'accountPages.removeDevice',
    on: 'POST /me/browser/remove',
    summary: 'Ask one of the caller\u2019s phones or browsers no more.',
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
    summary: 'The service worker that shows what is pushed to a browser.',
    access: open('A script without anybody\u2019s data.', { class: 'general' }),
    reply: text(200, 'text/javascript; charset=utf-8'),
    cache: 'no-cache',
    errors: [],
    emits: 'nothing',
    handle: async () => (await import('#shared/platform/pages/push-worker.client.generated')).SCRIPT,
  }),
]
