// Administrative objects for tests, created by the rules, or by the stores where no rule creates them.
import type * as z from 'zod'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { claimDomain, type Domain, findDomain, insertDomain, markDomainVerified } from '#db/store/domains'
import { insertProvider } from '#db/store/providers'
import { createClient } from '#shared/domains/administration/clients'
import { type CreatedClient, NewClient } from '#shared/domains/administration/clients.schema'
import type { RequestCtx } from '#shared/domains/context'
import type { User } from '#shared/platform/principals/principal'
import type { Company, TestApp } from './app.ts'

const request = {
  ...({} as RequestCtx['request']),
  id: 'test',
  address: '192.0.2.1',
  userAgent: 'test',
  method: 'GET',
  page: '/',
  route: 'test',
  emits: ['client.created'],
} as const

/** The company's administrator as the caller of a rule. */
export const administratorOf = ({ tenantId, admin }: Company): User => ({
  kind: 'user',
  tenantId,
  userId: admin.id,
  sessionId: admin.id,
  tokenId: admin.id,
  tokenExpiresAt: new Date(0),
  clientId: undefined,
  email: admin.email,
  permissions: new Set(),
  amr: ['pwd'],
  acr: 'aal1',
  authTime: new Date(0),
  passwordChangeRequired: false,
})

/** A client with its secrets. */
export const addClient = (
  app: TestApp,
  company: Company,
  asked: Partial<z.input<typeof NewClient>> & { readonly name: string },
): Promise<z.input<typeof CreatedClient>> =>
  createClient(
    { ...app.ctx, request },
    administratorOf(company),
    company.tenantId,
    NewClient.parse({ email: `owner@${company.name}.example`, ...asked }),
  )

export const txtOf = (domain: Domain): readonly [name: string, value: string] => [
  `_authsec-challenge.${domain.domain}`,
  `authsec-domain-verification=${domain.verificationToken}`,
]

/** A claimed domain with its proof in the app's DNS. */
export const addDomain = async (app: TestApp, company: Company, domain: string): Promise<Domain> => {
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const row = await atomically(forTenant(app.db, company.tenantId), async (t) => {
    await insertDomain(t, { id, domain, kind: 'custom', verificationToken: 'ab'.repeat(32), createdAt: at, updatedAt: at }, new Date(0))
    return findDomain(t, id, new Date(0))
  })
  if (row === undefined) throw new Error('no domain')
  const [name, value] = txtOf(row)
  app.dns.set(name, [value])
  return row
}

export const proveDomain = (app: TestApp, company: Company, id: string): Promise<void> =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    const at = app.clock.now()
    const row = await markDomainVerified(t, id, company.admin.id, at)
    if (row !== undefined) await claimDomain(t, { domain: row.domain, kind: 'custom', isVerified: true, createdAt: at })
  })

/** A provider of the platform; returns its name. */
export const addProviderRow = async (app: TestApp): Promise<string> => {
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const providerName = `provider-${id}`
  await atomically(forTenant(app.db, SYSTEM_TENANT), (t) =>
    insertProvider(t, { id, providerName, displayName: 'A provider', createdAt: at, updatedAt: at }),
  )
  return providerName
}
