// Composition root of the challenges function.
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { outcomeError } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { challengeRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: challengeRoutes, ctx: base, render: outcomeError })]), base)
