// Composition root of the user-sign-in function.
import { cloud } from '#shared/domains/composition/cloud'
import { breachedPasswords } from '#shared/domains/passwords/configured'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { userSignInRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(
  mount(base, [group<Ctx>({ routes: userSignInRoutes, ctx: { ...base, breached: breachedPasswords(base) }, render: authsecError })]),
  base,
)
