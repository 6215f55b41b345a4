// Composition root of the oauth function.
import { cloud } from '#shared/domains/composition/cloud'
import { lazyOutbound } from '#shared/platform/fetch/lazy'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authorizationServerError } from '#shared/platform/http/problem'
import { lazyPush } from '#shared/platform/outbox/push/lazy'
import type { Ctx } from './group.ts'
import { oauthRoutes } from './routes.ts'

const base = await cloud(process.env)
const outbound = lazyOutbound(base)
const ctx = { ...base, outbound, push: lazyPush({ ...base, outbound }) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: oauthRoutes, ctx, render: authorizationServerError })]), base)
