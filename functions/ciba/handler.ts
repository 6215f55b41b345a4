// Composition root of the ciba function.
import { cloud } from '#shared/domains/composition/cloud'
import { tenantOutbound } from '#shared/platform/fetch/configured'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import { configuredPush } from '#shared/platform/outbox/push/configured'
import type { Ctx } from './group.ts'
import { cibaRoutes } from './routes.ts'

const base = await cloud(process.env)
const push = configuredPush({ ...base, outbound: tenantOutbound(base) })

export const handler = lambda(mount(base, [group<Ctx>({ routes: cibaRoutes, ctx: { ...base, push }, render: authsecError })]), base)
