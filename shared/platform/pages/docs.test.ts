import { expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { may, open, user } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { json, oneOfStatuses, routeFor } from '#shared/platform/http/route'
import { openapiOf } from '#shared/platform/openapi/openapi'
import { docsPolicy, renderDocs } from './docs.tsx'

const route = routeFor<RequestCtx>()
const Part = z.object({ id: z.uuid(), maker: z.object({ name: z.string() }).nullable(), tags: z.array(z.string()) }).meta({ id: 'Part' })
const routes = [
  route({
    id: 'part.make',
    on: 'POST /parts/:shelf_id',
    summary: 'Make a part </p><script>alert(1)</script>.',
    access: may('admin:access', 'part:write'),
    path: z.strictObject({ shelf_id: z.uuid() }),
    query: z.strictObject({ dry_run: z.enum(['yes', 'no']).default('no') }),
    body: z.strictObject({ name: z.string().max(40), weight: z.int().min(1).optional() }),
    reply: oneOfStatuses({ 200: Part, 201: Part }),
    errors: ['conflict'],
    emits: ['client.created'],
    handle: async () => ({ status: 200 as const, body: { id: '', maker: null, tags: [] } }),
  }),
  route({
    id: 'part.list',
    on: 'GET /parts',
    summary: 'List parts.',
    access: open('Parts are public.', { class: 'credential', account: 'email' }),
    reply: json(200, Part),
    errors: [],
    emits: 'nothing',
    handle: async () => ({ id: '', maker: null, tags: [] }),
  }),
  route({
    id: 'part.mine',
    on: 'GET /parts/mine',
    summary: 'The caller\u2019s part.',
    access: user({ withinSeconds: 900 }),
    reply: json(200, Part),
    errors: [],
    emits: 'nothing',
    handle: async () => ({ id: '', maker: null, tags: [] }),
  }),
]
const page = renderDocs(openapiOf([{ name: 'parts', about: 'Parts & more.', routes, render: problem }], { title: 'Test', version: '1' }), 'abc')
const textOf = (html: string): string =>
  html
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')

test('an operation says who may call it, what it takes, answers, refuses and writes down', () => {
  const text = textOf(page.slice(page.indexOf('<article id="part.make"'), page.indexOf('<article id="part.list"')))
  for (const said of [
    'POST /parts/{shelf_id}',
    'holds admin:access and part:write',
    'shelf_id required string (uuid)',
    'dry_run one of yes, no no unless told',
    'name required string at most 40 long',
    'weight integer at least 1',
    '201 Created. application/json',
    'maker.name required string',
    'tags required list of string',
    'conflict 409',
    'insufficient_scope 403',
    'client.created; and refusals',
  ]) {
    expect(text).toContain(said)
  }
})

test('an open operation says why and how often, one that asks for a recent sign-in how recent', () => {
  const text = textOf(page)
  expect(text).toContain('Anybody. Parts are public.')
  expect(text).toContain('At most 10 a minute from one address, 5 a minute for one email.')
  expect(text).toContain('Anybody who is signed in. The sign-in is at most 15 minutes old.')
})

test('every operation is linked, and what a document says is text to the page', () => {
  for (const { id } of routes) expect(page).toContain(`<a href="#${id}">`)
  expect(page).not.toContain('<script>alert')
  expect(page).toContain('Parts &amp; more.')
})

test('the page asks nobody else for anything, and carries the nonce on its style sheet and script alone', () => {
  expect(page.match(/<(?:style|script)[^>]*>/g)).toEqual(['<style nonce="abc">', '<script nonce="abc">'])
  expect(page).not.toMatch(/ style=| on\w+=|https?:|<iframe|<img/)
  expect(docsPolicy('abc')).not.toContain('unsafe')
  expect(docsPolicy('abc')).toContain("default-src 'none'")
})
