// Composition root of the function of factors.
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { problem } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { factorRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: factorRoutes, ctx: base, render: problem })]), base)
