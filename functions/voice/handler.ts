// Composition root of the voice function.
import { cloud } from '#shared/domains/composition/cloud'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { voiceRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: voiceRoutes, ctx: base, render: authsecError })]), base)
