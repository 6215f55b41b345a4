// Composition root of the auth function.
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authsecError } from '#shared/http/problem'
import { breachedPasswords } from '#shared/password/configured'
import type { Ctx } from './group.ts'
import { authRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(
  mount(base, [group<Ctx>({ routes: authRoutes, ctx: { ...base, breached: breachedPasswords(base) }, render: authsecError })]),
  base,
)
