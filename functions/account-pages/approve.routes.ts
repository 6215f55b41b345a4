// Routes of backchannel requests on the hosted pages (CIBA).
import { browser, page } from '#shared/platform/http/access'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ApprovedQuery, ApproveForm, ApproveQuery } from './page.schema.ts'

export const approveRoutes = [
  route({
    id: 'accountPages.approve',
    on: 'GET /approve',
    summary: 'The client that requests approval of a sign-in, and what it requests.',
    access: browser(),
    query: ApproveQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await import('./approve.page.tsx')).approvePage(ctx, principal, query.id),
  }),
  route({
    id: 'accountPages.decideRequest',
    on: 'POST /approve',
    summary: 'Approve or deny. Approval without a prompted device needs a sign-in of the last five minutes.',
    access: browser({ limit: { class: 'code' } }),
    query: ApproveQuery,
    form: ApproveForm,
    reply: empty(303),
    errors: ['insufficient_user_authentication', 'cross_site'],
    emits: ['ciba.approved', 'ciba.denied'],
    handle: async ({ ctx, principal, form }) => (await import('./approve.ts')).decideApproval(ctx, principal, form),
  }),
  route({
    id: 'accountPages.requestDecided',
    on: 'GET /approve/done',
    summary: 'The result of a request.',
    access: page('Displays only what its address contains.', { class: 'general' }),
    query: ApprovedQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./approve.page.tsx')).approvalDecidedPage(ctx, principal, query.state ?? 'denied'),
  }),
]
