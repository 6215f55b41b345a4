// Composition root of the agents function.
import { cloud } from '#shared/domains/composition/cloud'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { agentRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, outbound: { loopback: base.config.OUTBOUND_LOOPBACK === 'on' } }

export const handler = lambda(mount(base, [group<Ctx>({ routes: agentRoutes, ctx, render: problem })]), base)
