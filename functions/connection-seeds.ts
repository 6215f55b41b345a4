// Seeds of tenants' own providers: functions/seeds.ts.
import { findProvider } from '#db/store/providers'
import { forTenant } from '#db/tenant'
import { addProvider } from '#shared/testing/federation'
import type { Make, Seed } from './seeds.ts'

/** A provider that nobody reaches: the network is off. */
const connection =
  (more: Pick<Seed, 'body' | 'headers'> = {}): Make =>
  async (app, company) => {
    const name = await addProvider(app, { issuer: 'https://id.acme.com' }, company.tenantId)
    const row = await findProvider(forTenant(app.db, company.tenantId), name)
    if (row === undefined) throw new Error('no provider')
    return { path: { connection_id: row.id }, owner: company.admin, ...more }
  }

export const CONNECTION_SEEDS: Readonly<Record<string, Make>> = {
  'connections.read': connection(),
  'connections.update': connection({ body: { display_name: 'Again' }, headers: { 'if-match': '*' } }),
  'connections.delete': connection(),
  'connections.test': connection(),
}
