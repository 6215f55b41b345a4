// Seeds of hmgr/admin: tests/seeds/seeds.ts.
import { atomically, forTenant } from '#db/engine/tenant'
import { putBinding, putGroup, putRole } from '#db/testing/access'
import type { Company, TestApp } from '#tests/support/app'
import type { Make, Seed } from '../../tests/seeds/seeds.ts'

const newRole = (app: TestApp, company: Company): Promise<string> =>
  atomically(forTenant(app.db, company.tenantId), (t) => putRole(t, `crew-${app.ctx.random.id()}`, ['users:read'], app.clock.now()))

const person =
  (more: Pick<Seed, 'body'> = {}): Make =>
  async (app, company) => ({ path: { user_id: (await app.person(company)).id }, owner: company.admin, ...more })
const role =
  (body?: Readonly<Record<string, unknown>>): Make =>
  async (app, company) => ({
    path: { role_id: await newRole(app, company) },
    owner: company.admin,
    ...(body === undefined ? {} : { body: { ...body, name: `renamed-${app.ctx.random.id()}` } }),
  })
const tenant =
  (body?: Readonly<Record<string, unknown>>): Make =>
  async (_, company) => ({ path: { tenant_id: company.tenantId }, owner: company.admin, ...(body === undefined ? {} : { body }) })

/** uflow/v2: a person of the company, or one who administers it. */
const v2Person =
  (more: Pick<Seed, 'body'> = {}): Make =>
  async (app, company) => ({ path: { tenant_id: company.tenantId, user_id: (await app.person(company)).id }, owner: company.admin, ...more })
const v2Administrator =
  (more: Pick<Seed, 'body'> = {}): Make =>
  async (app, company) => ({ path: { tenant_id: company.tenantId, user_id: (await app.person(company, 'admin')).id }, owner: company.admin, ...more })
const v2Group: Make = async (app, company) => {
  const at = app.clock.now()
  const groupId = await atomically(forTenant(app.db, company.tenantId), (t) => putGroup(t, `crew-${app.ctx.random.id()}`, [], at))
  return { path: { group_id: groupId }, owner: company.admin, body: { role_id: await newRole(app, company) } }
}

export const MANAGEMENT_SEEDS: Readonly<Record<string, Make>> = {
  'management.updateUser': person({ body: { name: 'Pat Again' } }),
  'management.deleteUser': person(),
  'management.giveRole': async (app, company) => {
    const role_id = await newRole(app, company)
    return { ...(await person()(app, company)), body: { role_id } }
  },
  'management.takeRole': async (app, company) => {
    const [role_id, { id }] = [await newRole(app, company), await app.person(company)]
    await atomically(forTenant(app.db, company.tenantId), (t) => putBinding(t, role_id, { userId: id }, app.clock.now()))
    return { path: { user_id: id, role_id }, owner: company.admin }
  },
  'management.updateRole': role({ permission_strings: ['users:read'] }),
  'management.deleteRole': role(),
  'management.updateTenant': tenant({ name: 'Acme again' }),
  'management.deleteTenant': tenant(),
  'v2.listMemberships': tenant(),
  'v2.addMembership': async (app, company) => ({ ...(await tenant()(app, company)), body: { user_id: (await app.person(company)).id } }),
  'v2.changeMembership': v2Administrator({ body: { status: 'suspended' } }),
  'v2.endMembership': v2Administrator(),
  'v2.listEndUsers': tenant(),
  'v2.getEndUser': v2Person(),
  'v2.changeEndUser': v2Person({ body: { status: 'suspended' } }),
  'v2.suspendEndUser': v2Person({ body: {} }),
  'v2.reactivateEndUser': v2Person(),
  'v2.bindGroup': v2Group,
  'v2.effectiveAccess': async (app, company) => ({ path: { user_id: (await app.person(company)).id }, owner: company.admin }),
}
