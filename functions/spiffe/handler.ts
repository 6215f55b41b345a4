// Composition root of the spiffe function.
import { cloud } from '#shared/domains/composition/cloud'
import { lazyOutbound } from '#shared/platform/fetch/lazy'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { spiffeRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, outbound: lazyOutbound(base) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: spiffeRoutes, ctx, render: problem })]), base)
