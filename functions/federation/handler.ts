// Composition root of the federation function.
import { cloud } from '#shared/cloud'
import { tenantOutbound } from '#shared/fetch/configured'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authsecError } from '#shared/http/problem'
import type { Ctx } from './group.ts'
import { federationRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, outbound: tenantOutbound(base) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: federationRoutes, ctx, render: authsecError })]), base)
