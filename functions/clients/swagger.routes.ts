// Health and API description of client management. Public.
import * as z from 'zod'
import { open } from '#shared/platform/http/access'
import { html, json, type Route, text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { renderSwagger, renderSwaggerPage } from './swagger.ts'

const ClientsHealth = z.object({ status: z.literal('healthy'), service: z.literal('clients-microservice') }).meta({ id: 'ClientsHealth' })

const access = open('The API description is public.', { class: 'general' })
const page = { access, reply: html(200), errors: [], emits: 'nothing' } as const

export const swaggerRoutes = (routes: readonly Route<never>[]) => [
  route({
    id: 'clients.health',
    on: 'GET /authsec/clientms/health',
    summary: 'Health of client management.',
    access: open('Load balancers and monitors carry no credential.', { class: 'general' }),
    reply: json(200, ClientsHealth),
    errors: [],
    emits: 'nothing',
    handle: async () => ({ status: 'healthy', service: 'clients-microservice' }) as const,
  }),
  route({
    ...page,
    id: 'clients.swagger',
    on: 'GET /authsec/clientms/swagger',
    summary: 'API description of client management as a page.',
    handle: async () => renderSwaggerPage(routes),
  }),
  route({
    ...page,
    id: 'clients.swaggerIndex',
    on: 'GET /authsec/clientms/swagger/index.html',
    summary: 'API description of client management as a page, on the path for older callers.',
    handle: async () => renderSwaggerPage(routes),
  }),
  route({
    id: 'clients.swaggerDocument',
    on: 'GET /authsec/clientms/swagger/doc.json',
    summary: 'API description of client management as an OpenAPI document without schemas.',
    access,
    reply: text(200, 'application/json'),
    errors: [],
    emits: 'nothing',
    handle: async () => renderSwagger(routes),
  }),
]
