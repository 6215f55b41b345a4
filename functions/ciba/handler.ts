// Composition root of the ciba function.
import { cloud } from '#shared/domains/composition/cloud'
import { lazyOutbound } from '#shared/platform/fetch/lazy'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import { lazyPush } from '#shared/platform/outbox/push/lazy'
import type { Ctx } from './group.ts'
import { cibaRoutes } from './routes.ts'

const base = await cloud(process.env)
const push = lazyPush({ ...base, outbound: lazyOutbound(base) })

export const handler = lambda(mount(base, [group<Ctx>({ routes: cibaRoutes, ctx: { ...base, push }, render: authsecError })]), base)
