import { expect, test } from 'vitest'
import { asOwner, atomically, forTenant } from '#db/engine/tenant'
import { type AuditRow, findAuditEvents } from '#db/store/audit-events'
import { findUser, updateUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { type Actor, byAgent, byClient, bySystem, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { AuditEvent } from '#shared/platform/audit/events'
import { user } from '#shared/platform/http/access'
import { routeFor, text } from '#shared/platform/http/route'
import { startApp } from '#tests/support/app'
import { openDetails, readDetails } from './details.ts'
import { presentEvent } from './presentation.ts'

const route = routeFor<RequestCtx>()

/** Changes the caller's name and records it as `written`, having declared `emits`. */
const renames = (emits: readonly AuditEvent[] | 'nothing', written: AuditEvent) =>
  route({
    id: 'test.rename',
    on: 'POST /rename',
    summary: 'Changes the caller\u2019s name.',
    access: user(),
    reply: text(200, 'text/plain'),
    errors: [],
    emits,
    handle: async ({ ctx, principal }) => {
      await atomically(forTenant(ctx.db, principal.tenantId), async (t) => {
        await updateUser(t, principal.userId, { name: 'Changed' })
        await recordEvent(t, ctx, {
          event: written,
          actor: byUser(principal),
          target: { type: 'user', id: principal.userId },
          after: { name: 'Changed' },
        })
      })
      return 'done'
    },
  })

const renamed = async (emits: readonly AuditEvent[] | 'nothing', written: AuditEvent) => {
  const app = await startApp([renames(emits, written)])
  const ana = await app.person(await app.company())
  const response = await app.request('/rename', { method: 'POST', token: await app.token(ana) })
  const row = await findUser(forTenant(app.db, ana.tenantId), ana.id)
  const events = (await app.events(ana.tenantId)).filter((event) => event.route === 'test.rename')
  return { app, ana, status: response.status, name: row?.name, events }
}

test('a change and its audit event commit together', async () => {
  const { ana, status, name, events } = await renamed(['tenant.updated'], 'tenant.updated')
  expect({ status, name }).toEqual({ status: 200, name: 'Changed' })
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({ event: 'tenant.updated', actorId: ana.id, outcome: 'success' })
})

test.each([[['user.signed_out']], ['nothing']] as const)(
  'an event that the route does not declare rolls the change back (declared: %s)',
  async (emits) => {
    const { app, status, name, events } = await renamed(emits, 'tenant.updated')
    expect({ status, name, events }).toEqual({ status: 500, name: 'Pat Person', events: [] })
    expect(JSON.stringify(app.log.lines)).toContain('test.rename writes tenant.updated without declaring it')
  },
)

test('an event that cannot be sealed rolls the change back', async () => {
  const app = await startApp([])
  const ana = await app.person(await app.company())
  const t = forTenant(app.db, ana.tenantId)
  const keyring = { ...app.ctx.keyring, seal: () => Promise.reject(new Error('no key')) }
  const change = atomically(t, async (tx) => {
    await updateUser(tx, ana.id, { name: 'Changed' })
    await recordEvent(tx, { ...app.ctx, keyring }, { event: 'tenant.updated', actor: bySystem, after: { name: 'Changed' } })
  })
  await expect(change).rejects.toThrow('no key')
  expect((await findUser(t, ana.id))?.name).toBe('Pat Person')
})

const [ID, PERSON, CLIENT] = ['0190aaaa-bbbb-7ccc-8ddd-000000000001', '0190aaaa-bbbb-7ccc-8ddd-000000000002', '0190aaaa-bbbb-7ccc-8ddd-000000000003']

test.each<[string, Actor, Partial<AuditRow>]>([
  ['a client in its own name', byClient(CLIENT), { actorType: 'client', actorId: CLIENT, clientId: CLIENT, onBehalfOf: null }],
  ['a client for a person', byClient(CLIENT, PERSON), { actorType: 'client', clientId: CLIENT, onBehalfOf: PERSON, subjectId: PERSON }],
  [
    'an agent for a person, through a client',
    byAgent(ID, { onBehalfOf: PERSON, clientId: CLIENT }),
    { actorType: 'agent', actorId: ID, clientId: CLIENT, onBehalfOf: PERSON, subjectId: PERSON },
  ],
  ['an agent by itself', byAgent(ID), { actorType: 'agent', actorId: ID, onBehalfOf: null, clientId: null }],
])('the actor and the subject are stored: %s', async (_, actor, expected) => {
  const app = await startApp([])
  const { tenantId } = await app.company()
  await atomically(forTenant(app.db, tenantId), (t) => recordEvent(t, app.ctx, { event: 'tenant.updated', actor }))
  const [row] = await findAuditEvents(forTenant(app.db, tenantId), { event: 'tenant.updated', limit: 1 })
  expect(row).toMatchObject({ subjectId: tenantId, ...expected })
})

test('details of an event are sealed under the key of its subject, not of its actor', async () => {
  const app = await startApp([])
  const { tenantId } = await app.company()
  const t = forTenant(app.db, tenantId)
  const actor: Actor = { type: 'user', id: ID }
  await atomically(t, async (tx) => {
    await recordEvent(tx, app.ctx, { event: 'user.email_changed', actor, target: { type: 'user', id: PERSON }, before: { email: 'old@acme.test' } })
    await app.ctx.keyring.seal(tx, ID, 'a key of the actor', 'test')
  })
  const [row] = await findAuditEvents(t, { event: 'user.email_changed', limit: 1 })
  if (!row?.sealed) throw new Error('nothing was sealed')
  expect(row.subjectId).toBe(PERSON)
  expect(readDetails((await openDetails(app.ctx, t, row)) ?? '')).toMatchObject({ before: { email: 'old@acme.test' } })
  await atomically(t, (tx) => app.ctx.keyring.destroy(tx, PERSON))
  expect(await openDetails(app.ctx, t, row)).toBeUndefined()
})

test.each([
  ['changed', `update authsec.audit_events set event = 'x'`],
  ['removed', 'delete from authsec.audit_events'],
  ['truncated', 'truncate authsec.audit_events'],
])('the application role cannot have an event %s', async (_, statement) => {
  const app = await startApp([])
  const { tenantId } = await app.company()
  const before = await app.events(tenantId)
  const t = forTenant(app.db, tenantId)
  await expect(t.run({ text: statement, params: [], arrays: true })).rejects.toMatchObject({ code: '42501' })
  expect(await app.events(tenantId)).toEqual(before)
})

const COLUMNS: readonly (readonly [string, string])[] = [
  ['at', `at + interval '1 second'`],
  ['event', `'user.signed_in'`],
  ['outcome', `'refused'`],
  ['reason', `'forbidden'`],
  ['actor_type', `'user'`],
  ['actor_id', `'${ID}'`],
  ['on_behalf_of', `'${ID}'`],
  ['client_id', `'${ID}'`],
  ['session_id', `'${ID}'`],
  ['target_type', `'role'`],
  ['target_id', `'x'`],
  ['request_id', `'x'`],
  ['route', `'x'`],
  ['count', '2'],
  ['subject_id', `'${ID}'`],
  ['sealed', 'null'],
  ['details_commit', `'\\x00'`],
  ['mac', 'null'],
  ['mac', `'\\x00'`],
]

test.each(COLUMNS)('the owner of the database cannot change the column %s unnoticed', async (column, value) => {
  const app = await startApp([])
  const { tenantId } = await app.company()
  await atomically(forTenant(app.db, tenantId), (t) =>
    recordEvent(t, app.ctx, { event: 'tenant.updated', actor: bySystem, target: { type: 'tenant', id: tenantId }, after: { name: 'New' } }),
  )
  const t = forTenant(app.db, tenantId)
  const read = async () => {
    const [row] = await findAuditEvents(t, { targetId: column === 'target_id' && changed ? 'x' : tenantId, limit: 1 })
    if (row === undefined) throw new Error('the event is missing')
    return presentEvent(app.ctx, t, row)
  }
  let changed = false
  expect(await read()).toMatchObject({ damaged: false, after: { name: 'New' } })
  await asOwner(app.db, tenantId, (tx) =>
    tx.run({
      text: `update authsec.audit_events set ${column} = ${value} where event = 'tenant.updated' and tenant_id = $1`,
      params: [tenantId],
      arrays: false,
    }),
  )
  changed = true
  // Without the sealed bytes the event reads as one whose person was erased, and its leaf stays the same.
  expect(await read()).toMatchObject(column === 'sealed' ? { damaged: false, erased: true, after: null } : { damaged: true, after: null })
})
