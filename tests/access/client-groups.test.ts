// A client that is mapped to a group has the group's rights through its service account, wherever decisions are made.
import { beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { putBinding, putGroup, putRole } from '#db/testing/access'
import { accessRoutes } from '../../functions/access/routes.ts'
import { adminRoutes } from '../../functions/admin/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { type AccessWorld, accessWorld, changePolicy, evaluationRequest } from '../support/access-world.ts'
import { newBackend } from '../support/backend.ts'

let w: AccessWorld
beforeAll(async () => {
  w = await accessWorld([...accessRoutes, ...adminRoutes, ...rolesRoutes, ...tenantsRoutes])
})

test('a mapped client has the rights and an unmapped one does not; searches, what-if and the client’s own guards agree', async () => {
  const plain = await newBackend(w.app, w.company, [])
  const id = plain.serviceAccountId
  const subject = { type: 'service_account', id }
  const { app, company } = w
  await changePolicy(app, company, async (t) => {
    const at = app.clock.now()
    const group = await putGroup(t, 'checkers', [], at)
    await putBinding(t, await putRole(t, 'auditor', ['ledger:audit', 'policy:check'], at), { groupId: group }, at)
  })
  const token = await app.token(company.admin)
  const map = (method: string) =>
    app.request('/authsec/uflow/admin/groups/map', {
      method,
      token,
      body: { tenant_id: company.tenantId, client_id: plain.clientId, groups: ['checkers'] },
    })
  const question = evaluationRequest(subject, 'audit', { type: 'ledger', id: 'any' })
  const decision = async () => ((await w.post('evaluation', question)).body as { decision: boolean }).decision
  const searched = async () => {
    const { body } = await w.post('search/subject', { ...question, subject: { type: 'service_account' } })
    return (body as { results: { id: string }[] }).results.map((one) => one.id)
  }
  const batch = async () => {
    const { body } = await w.post('evaluations', { evaluations: [question, { ...question, subject: { type: 'user', id: w.pat.id } }] })
    return (body as { evaluations: { decision: boolean }[] }).evaluations.map((one) => one.decision)
  }
  const asking = async () => (await w.post('evaluation', question, plain.authorization)).status
  expect([await decision(), await searched(), await batch(), await asking()]).toEqual([false, [], [false, false], 403])
  expect((await map('POST')).status).toBe(200)
  expect([await decision(), await searched(), await batch(), await asking()]).toEqual([true, [id], [true, false], 200])
  expect((await map('DELETE')).status).toBe(200)
  expect([await decision(), await searched(), await batch(), await asking()]).toEqual([false, [], [false, false], 403])
})

test('mapping requires the rights that the group carries', async () => {
  const { app, company } = w
  const plain = await newBackend(app, company, [])
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const at = app.clock.now()
    const group = await putGroup(t, 'treasurers', [], at)
    await putBinding(t, await putRole(t, 'treasurer', ['money:move'], at), { groupId: group }, at)
  })
  const clerk = await app.token(await app.person(company, ['admin:access', 'groups:write']))
  const body = { tenant_id: company.tenantId, client_id: plain.clientId, groups: ['treasurers'] }
  expect(await (await app.request('/authsec/uflow/admin/groups/map', { token: clerk, body })).json()).toMatchObject({ code: 'cannot_grant' })
})
