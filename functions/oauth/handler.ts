// Composition root of the oauth function.
import { cloud } from '#shared/cloud'
import { lazyOutbound } from '#shared/fetch/lazy'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authorizationServerError } from '#shared/http/problem'
import { lazyPush } from '#shared/push/lazy'
import type { Ctx } from './group.ts'
import { oauthRoutes } from './routes.ts'

const base = await cloud(process.env)
const outbound = lazyOutbound(base)
const ctx = { ...base, outbound, push: lazyPush({ ...base, outbound }) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: oauthRoutes, ctx, render: authorizationServerError })]), base)
