// Composition root of the federation function.
import { cloud } from '#shared/domains/composition/cloud'
import { tenantOutbound } from '#shared/platform/fetch/configured'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { federationRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, outbound: tenantOutbound(base) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: federationRoutes, ctx, render: authsecError })]), base)
