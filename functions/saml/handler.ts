// Composition root of the SAML function.
import { cloud } from '#shared/domains/composition/cloud'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { outcomeError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { samlRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(mount(base, [group<Ctx>({ routes: samlRoutes, ctx: base, render: outcomeError })]), base)
