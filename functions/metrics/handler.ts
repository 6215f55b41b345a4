// Composition root of the metrics function.
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { problem } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { metricsRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: metricsRoutes, ctx: base, render: problem })]), base)
