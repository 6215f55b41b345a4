// Composition root of the people function.
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { problem } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { peopleRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: peopleRoutes, ctx: base, render: problem })]), base)
