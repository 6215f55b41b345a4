// Composition root of the wellknown function.
import { cloud } from '#shared/domains/composition/cloud'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { wellknownRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: wellknownRoutes, ctx: base, render: problem })]), base)
