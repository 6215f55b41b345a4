// Seeds of SAML providers: tests/seeds/seeds.ts.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertSamlProvider } from '#db/store/saml-providers'
import type { Company, TestApp } from '#tests/support/app'
import type { Make, Seed } from '../../tests/seeds/seeds.ts'

const newProvider = async (app: TestApp, company: Company): Promise<{ readonly id: string; readonly name: string }> => {
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const row = {
    id,
    clientId: company.clientId,
    providerName: `idp-${id.slice(-12)}`,
    displayName: 'Acme Directory',
    entityId: 'https://idp.example/metadata',
    ssoUrl: 'https://idp.example/sso',
    certificates: [],
    nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    createdAt: at,
    updatedAt: at,
  }
  await atomically(forTenant(app.db, company.tenantId), (t) => insertSamlProvider(t, row))
  return { id, name: row.providerName }
}

const provider =
  (body?: Readonly<Record<string, unknown>>): Make =>
  async (app, company) => {
    const { id } = await newProvider(app, company)
    return { path: { id }, owner: company.admin, ...(body === undefined ? {} : { body }) }
  }
const service =
  (more: Pick<Seed, 'answers' | 'isPublic'>): Make =>
  async (_, company) => ({ path: { tenant_id: company.tenantId, client_id: company.clientId }, ...more })

export const SAML_SEEDS: Readonly<Record<string, Make>> = {
  'saml.change': provider({ display_name: 'Renamed' }),
  'saml.remove': provider(),
  'saml.initiate': async (app, company) => ({ path: { provider: (await newProvider(app, company)).name }, answers: 400 }),
  'saml.acsOfClient': service({ answers: 400 }),
  'saml.metadata': service({ isPublic: true }),
}
