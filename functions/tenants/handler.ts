// Composition root of the tenants function.
import { cloud } from '#shared/domains/composition/cloud'
import { breachedPasswords } from '#shared/domains/passwords/configured'
import { systemTxtResolver } from '#shared/platform/dns/system'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { tenantsRoutes } from './routes.ts'

const base = await cloud(process.env)
const resolver = systemTxtResolver(base.config.DNS_SERVERS)

export const handler = lambda(
  mount(base, [group<Ctx>({ routes: tenantsRoutes, ctx: { ...base, breached: breachedPasswords(base), resolver }, render: authsecError })]),
  base,
)
