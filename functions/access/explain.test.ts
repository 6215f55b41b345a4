// Explained decisions and the dry run of a policy change.
import { beforeAll, describe, expect, test } from 'vitest'
import { NOT_GRANTED } from '#shared/domains/decision/decide-for'
import { type AccessWorld, accessWorld, evaluationRequest, INVOICE, user } from '#tests/support/access-world'
import { accessRoutes } from './routes.ts'

let w: AccessWorld
beforeAll(async () => {
  w = await accessWorld(accessRoutes)
})

describe('explain and what-if', () => {
  const asPolicyReader = async (): Promise<string> => w.signedIn(await w.app.person(w.company, ['policy:check', 'roles:read']))

  test('explain lists the bindings considered, the one that decided, and what is missing', async () => {
    const authorization = await asPolicyReader()
    const allowed = await w.post('explain', evaluationRequest(user(w.pat), 'write'), authorization)
    expect(allowed).toMatchObject({
      status: 200,
      body: { decision: true, decided_by: { binding_id: w.scoped, role: 'writer', scope: { type: 'invoice', id: INVOICE } }, missing: [] },
    })
    const denied = await w.post('explain', evaluationRequest(user(w.pat), 'delete'), authorization)
    expect(denied.body).toMatchObject({
      decision: false,
      decided_by: null,
      trace: NOT_GRANTED,
      missing: [{ kind: 'fulfilment', binding_id: w.careful, of: 'mfa_required' }],
    })
    expect((await w.post('explain', evaluationRequest(user(w.sam), 'delete'), authorization)).body).toMatchObject({
      missing: [{ kind: 'binding', roles: ['deleter'] }],
    })
    expect((await w.post('explain', evaluationRequest(user(w.sam), 'fly'), authorization)).body).toMatchObject({
      missing: [{ kind: 'role_with_permission' }],
    })
    expect((await w.post('explain', evaluationRequest(user({ id: INVOICE }), 'read'), authorization)).body).toMatchObject({
      missing: [{ kind: 'active_principal' }],
      considered: [],
    })
    expect((await w.post('explain', evaluationRequest(user(w.sam), 'read'), authorization)).body).toMatchObject({
      decided_by: { binding_id: w.viaGroup, holder: { type: 'group', id: w.group } },
    })
    expect((await w.post('explain', { ...evaluationRequest(user(w.sam), 'read'), more: 1 }, authorization)).status).toBe(400)
  })

  test('what-if lists gains and losses and changes nothing', async () => {
    const authorization = await asPolicyReader()
    const roleId = async (name: string): Promise<string> => {
      const { policy } = await w.app.ctx.policies.load(w.company.tenantId, [])
      return [...policy.roles.values()].find((role) => role.name === name)?.id ?? ''
    }
    const { policy: before } = await w.app.ctx.policies.load(w.company.tenantId, [])
    const effects = async (...changes: object[]): Promise<{ gains: object[]; losses: object[] }> =>
      (await w.post('what-if', { changes }, authorization)).body
    const read = { permission: 'invoice:read', scope: null, conditional: false, expires_at: null }
    expect(await effects({ op: 'unbind', binding_id: w.viaGroup })).toMatchObject({
      gains: [],
      losses: [{ subject: user(w.sam), ...read }],
      examined: 1,
      truncated: false,
    })
    expect(
      await effects({
        op: 'bind',
        role_id: await roleId('deleter'),
        subject: { type: 'group', id: w.group },
        scope: { type: 'invoice', id: INVOICE },
        conditions: { max_auth_age: 60 },
      }),
    ).toMatchObject({
      gains: [{ subject: user(w.sam), permission: 'invoice:delete', scope: { type: 'invoice', id: INVOICE }, conditional: true }],
      losses: [],
    })
    // Pat can already read every invoice.
    expect(
      await effects({ op: 'bind', role_id: await roleId('reader'), subject: user(w.pat), scope: { type: 'invoice', id: INVOICE } }),
    ).toMatchObject({ gains: [], losses: [] })
    const swapped = await effects({ op: 'set_role_permissions', role_id: await roleId('reader'), permissions: ['invoice:write'] })
    expect(swapped.losses).toHaveLength(2)
    expect(swapped.gains).toHaveLength(2)
    expect((await effects({ op: 'delete_role', role_id: await roleId('writer') })).losses).toMatchObject([
      { subject: user(w.pat), permission: 'invoice:write', scope: { id: INVOICE } },
    ])
    const { policy: after } = await w.app.ctx.policies.load(w.company.tenantId, [])
    expect(after).toBe(before)
  })

  test('what-if names the change that is impossible, and why', async () => {
    const authorization = await asPolicyReader()
    const fine = { op: 'unbind', binding_id: w.viaGroup }
    const bad: readonly (readonly [field: string, change: object])[] = [
      ['body.changes.1', { op: 'unbind', binding_id: INVOICE }],
      ['body.changes.1', { op: 'delete_role', role_id: INVOICE }],
      ['body.changes.1.conditions.department', { op: 'bind', role_id: INVOICE, subject: user(w.pat), conditions: { department: 1 } }],
      ['body.changes.1.op', { op: 'rename' }],
    ]
    for (const [field, change] of bad)
      expect(await w.post('what-if', { changes: [fine, change] }, authorization)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', field },
      })
    expect((await w.post('what-if', { changes: [fine] }, await w.signedIn(await w.app.person(w.company, ['policy:check'])))).status).toBe(403)
  })
})
