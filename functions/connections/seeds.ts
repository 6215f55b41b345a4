// Seeds of tenants' own providers, for tests/seeds/seeds.ts.

import { forTenant } from '#db/engine/tenant'
import { findProvider } from '#db/store/providers'
import { addProvider } from '#tests/support/federation'
import type { Make, Seed } from '../../tests/seeds/seeds.ts'

/** A provider that cannot be reached, because tests have no network. */
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
