// Backchannel requests on our own pages.
import { browser, page } from '#shared/platform/http/access'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ApprovedQuery, ApproveForm, ApproveQuery } from './page.schema.ts'

export const approveRoutes = [
  route({
    id: 'accountPages.approve',
    on: 'GET /approve',
    summary: 'Who asks the caller to approve a sign-in, and for what.',
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
    summary: 'Approve or refuse. Without a device that was asked, approving takes a sign-in of the last five minutes.',
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
    summary: 'What became of a request.',
    access: page('Says nothing but what its address says.', { class: 'general' }),
    query: ApprovedQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query, principal }) => (await import('./approve.page.tsx')).approvalDecidedPage(ctx, principal, query.state ?? 'denied'),
  }),
]
