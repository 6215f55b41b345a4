// Composition root of the ciba function.
import { cloud } from '#shared/cloud'
import { tenantOutbound } from '#shared/fetch/configured'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authsecError } from '#shared/http/problem'
import { configuredPush } from '#shared/push/configured'
import type { Ctx } from './group.ts'
import { cibaRoutes } from './routes.ts'

const base = await cloud(process.env)
const push = configuredPush({ ...base, outbound: tenantOutbound(base) })

export const handler = lambda(mount(base, [group<Ctx>({ routes: cibaRoutes, ctx: { ...base, push }, render: authsecError })]), base)
