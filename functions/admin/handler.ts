// Composition root of the admin function.
import { cloud } from '#shared/cloud'
import { systemResolver } from '#shared/dns/system'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authsecError } from '#shared/http/problem'
import { breachedPasswords } from '#shared/password/configured'
import type { Ctx } from './group.ts'
import { adminRoutes } from './routes.ts'

const base = await cloud(process.env)
const resolver = systemResolver(base.config.DNS_SERVERS)

export const handler = lambda(
  mount(base, [group<Ctx>({ routes: adminRoutes, ctx: { ...base, breached: breachedPasswords(base), resolver }, render: authsecError })]),
  base,
)
