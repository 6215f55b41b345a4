// Composition root of the webhooks function.
import { cloud } from '#shared/cloud'
import { tenantOutbound } from '#shared/fetch/configured'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { problem } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { webhookRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, outbound: tenantOutbound(base) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: webhookRoutes, ctx, render: problem })]), base)
