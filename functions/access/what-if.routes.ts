// The route of the dry run.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { Effects, WhatIf } from './what-if.schema.ts'
import { whatIf } from './what-if.ts'

export const whatIfRoutes = [
  route({
    id: 'access.whatIf',
    on: 'POST /access/v1/what-if',
    summary: 'Show what people would gain or lose by a change of roles or bindings, without making it.',
    // Compiles the whole policy twice, which costs more than any other request of the group.
    access: { ...may('policy:check', 'roles:read'), limit: { class: 'status' } },
    body: WhatIf,
    reply: json(200, Effects),
    errors: ['invalid_request', 'not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => whatIf(ctx, principal, body),
  }),
]
