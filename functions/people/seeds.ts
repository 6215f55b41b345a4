// Seeds of people, for tests/seeds/seeds.ts.
import type { Make, Seed } from '../../tests/seeds/seeds.ts'

/** A person of the company, and its administrator as the caller. */
const person =
  (more: Pick<Seed, 'body' | 'headers'> = {}): Make =>
  async (app, company) => ({ path: { user_id: (await app.person(company)).id }, owner: company.admin, ...more })

export const PEOPLE_SEEDS: Readonly<Record<string, Make>> = {
  'people.get': person(),
  'people.update': person({ body: { name: 'Pat Again' }, headers: { 'if-match': '*' } }),
  'people.export': person(),
  'people.erase': person(),
  'people.exportTenant': async (_, company) => ({ path: { tenant_id: company.tenantId }, owner: company.admin }),
}
