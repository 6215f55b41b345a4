// Composition root of the roles function.
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authsecError } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { rolesRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: rolesRoutes, ctx: base, render: authsecError })]), base)
