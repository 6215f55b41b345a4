// Composition root of the resources function.
import { cloud } from '#shared/cloud'
import { tenantOutbound } from '#shared/fetch/configured'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authsecError } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { resourceRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(
  mount(base, [group<Ctx>({ routes: resourceRoutes, ctx: { ...base, outbound: tenantOutbound(base) }, render: authsecError })]),
  base,
)
