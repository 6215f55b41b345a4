// Composition root of the webauthn function.
import { cloud } from '#shared/domains/composition/cloud'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { webauthnRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: webauthnRoutes, ctx: base, render: authsecError })]), base)
