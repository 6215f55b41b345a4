// Composition root of the login function.
import { pageErrorOnDemand } from '#page/on-demand'
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { breachedPasswords } from '#shared/password/configured'
import { configuredSms } from '#shared/sms/configured'
import type { Ctx } from './group.ts'
import { loginRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(
  mount(base, [
    group<Ctx>({ routes: loginRoutes, ctx: { ...base, breached: breachedPasswords(base), sms: configuredSms(base) }, render: pageErrorOnDemand }),
  ]),
  base,
)
