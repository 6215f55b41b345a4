// Composition root of the metrics function.
import { cloud } from '#shared/domains/composition/cloud'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { metricsRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: metricsRoutes, ctx: base, render: problem })]), base)
