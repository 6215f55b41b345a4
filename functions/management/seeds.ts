// Seeds of hmgr/admin: tests/seeds/seeds.ts.
import { atomically, forTenant } from '#db/engine/tenant'
import { putBinding, putRole } from '#db/testing/access'
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
}
