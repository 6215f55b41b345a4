// Composition root of the resources function.
import { cloud } from '#shared/domains/composition/cloud'
import { tenantOutbound } from '#shared/platform/fetch/configured'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { resourceRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(
  mount(base, [group<Ctx>({ routes: resourceRoutes, ctx: { ...base, outbound: tenantOutbound(base) }, render: authsecError })]),
  base,
)
