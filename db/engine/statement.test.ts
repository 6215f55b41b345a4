import { expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import type { RunStatement } from './client.ts'
import { column, columns, moment, nullable, optional, statement } from './statement.ts'
import { asTenantId, directory, forTenant } from './tenant.ts'

const TENANT = asTenantId('11111111-1111-4111-8111-111111111111')
const answering = (...rows: unknown[][]) => ({ tenantId: TENANT, db: undefined as never, run: (async () => rows) as RunStatement })

test('a repeated name is one parameter, and text that only looks like a parameter is left unchanged', () => {
  const find = statement<{ now: Date; name: string | undefined }>(
    `select ':now', "a:name", x::text, y[1:n] from t where tenant_id = :tenantId and (:name::text is null or name = :name) and at > :now`,
  )
  const now = new Date('2026-01-02T03:04:05.678Z')
  expect(find.bind(answering(), { now, name: undefined })).toEqual({
    text: `select ':now', "a:name", x::text, y[1:n] from t where tenant_id = $1 and ($2::text is null or name = $2) and at > $3`,
    params: [TENANT, null, '2026-01-02T03:04:05.678Z'],
    arrays: true,
  })
})

test('the tenant is that of the handle, whatever the caller passes', () => {
  const find = statement<{ tenantId: string }>('select 1 where tenant_id = :tenantId')
  expect(find.bind(answering(), { tenantId: 'another' }).params).toEqual([TENANT])
})

test('a parameter without a value is refused, and so is a tenant without a handle of one', () => {
  const find = statement<{ id?: string }>('select 1 where tenant_id = :tenantId and id = :id')
  expect(() => find.bind(answering(), {})).toThrow(':id')
  expect(() => find.bind({ db: undefined as never, run: async () => [] }, { id: 'a' })).toThrow(':tenantId')
})

const SERVER = columns({ id: column<string>('s.id'), until: nullable(moment('s.until')) })
const CLIENT = columns({ name: column<string>('c.name'), uri: optional(column<string>('c.uri')), server: optional(SERVER), at: moment('c.at') })

test('columns are named after their members, nested ones after both', () => {
  expect(CLIENT.list).toBe('c.name as "name", c.uri as "uri", s.id as "server.id", s.until as "server.until", c.at as "at"')
  expect(CLIENT.from('x')).toBe('x."name", x."uri", x."server.id", x."server.until", x."at"')
  const outer = columns({ id: column<number>('id'), client: CLIENT.within('x') })
  expect(outer.list).toBe(
    'id as "id", x."name" as "client.name", x."uri" as "client.uri", x."server.id" as "client.server.id", x."server.until" as "client.server.until", x."at" as "client.at"',
  )
  expect(outer.read([1, 'n', 'u', null, null, '2026-01-02T03:04:05.678Z'])).toMatchObject({
    id: 1,
    client: { name: 'n', uri: 'u', server: undefined },
  })
})

test('a row becomes an object of the same members', async () => {
  const find = statement<object>('select').returning(columns({ client: CLIENT, count: column<number>('count(*)') }))
  const at = '2026-01-02T03:04:05.678Z'
  const rows = await find.all(answering(['n', null, 's', null, at, 2], ['m', 'u', null, null, at, 3]), {})
  expect(rows).toStrictEqual([
    { client: { name: 'n', uri: undefined, server: { id: 's', until: null }, at: new Date(at) }, count: 2 },
    { client: { name: 'm', uri: 'u', server: undefined, at: new Date(at) }, count: 3 },
  ])
  expect(await find.first(answering(), {})).toBeUndefined()
})

test('the database decodes the encoded values', async () => {
  const { db, company } = await startApp([])
  const { tenantId } = await company()
  const TENANT_ROW = columns({ id: column<string>('t.tenant_id'), status: column<string>('t.status'), createdAt: moment('t.created_at') })
  const find = statement<{ statuses: readonly string[] }>(
    `with found as (select ${TENANT_ROW.list} from authsec.tenants t where t.tenant_id = :tenantId and t.status = any(:statuses::text[]))
    select ${TENANT_ROW.from('found')} from found`,
  ).returning(TENANT_ROW)
  const t = forTenant(db, tenantId)
  expect(await find.first(t, { statuses: ['active'] })).toEqual({ id: tenantId, status: 'active', createdAt: expect.any(Date) })
  expect(await find.all(t, { statuses: ['suspended'] })).toEqual([])
  await expect(find.first(directory(db), { statuses: ['active'] })).rejects.toThrow(':tenantId')
})
