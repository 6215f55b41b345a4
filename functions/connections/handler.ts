// Composition root of the connections function.
import { cloud } from '#shared/cloud'
import { tenantOutbound } from '#shared/fetch/configured'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { statusError } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { connectionRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, outbound: tenantOutbound(base) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: connectionRoutes, ctx, render: statusError })]), base)
