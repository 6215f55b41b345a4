// All routes of the group. Mounted by apps/local/local.ts outside production, and in no bundle.
import * as z from 'zod'
import { open } from '#shared/platform/http/access'
import { html, text } from '#shared/platform/http/route'
import { apiReferenceScript } from './api-reference.ts'
import { route } from './group.ts'
import { apiPage, capturedHtml, frontPage, openApiDocument, outbox } from './pages.ts'

const LOCAL = open('Exists only on a developer\u2019s machine.', { class: 'admin' })

export const localRoutes = [
  route({
    id: 'local.front',
    on: 'GET /local',
    summary: 'Page with links to the API reference and captured mail.',
    access: LOCAL,
    reply: html(200),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => frontPage(ctx),
  }),
  route({
    id: 'local.outbox',
    on: 'GET /local/outbox',
    summary: 'Captured mail and pushes: a page for browsers, JSON for other clients.',
    access: LOCAL,
    reply: text(200, 'application/json'),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx }) => outbox(ctx),
  }),
  route({
    id: 'local.outboxMessage',
    on: 'GET /local/outbox/:message',
    summary: 'A captured mail as its recipient sees it.',
    access: LOCAL,
    path: z.object({ message: z.string().max(200) }),
    reply: html(200),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, path }) => capturedHtml(ctx, path.message),
  }),
  route({
    id: 'local.docs',
    on: 'GET /docs',
    summary: 'The API reference.',
    access: LOCAL,
    reply: html(200),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => apiPage(ctx),
  }),
  route({
    id: 'local.docsScript',
    on: 'GET /docs/scalar.js',
    summary: 'The script of the API reference.',
    access: LOCAL,
    reply: text(200, 'text/javascript; charset=utf-8'),
    cache: 'public, max-age=3600',
    errors: [],
    emits: 'nothing',
    handle: async () => apiReferenceScript(),
  }),
  route({
    id: 'local.openapi',
    on: 'GET /openapi.json',
    summary: 'The OpenAPI 3.1 document.',
    access: LOCAL,
    reply: text(200, 'application/json'),
    errors: [],
    emits: 'nothing',
    handle: async () => openApiDocument(),
  }),
]
