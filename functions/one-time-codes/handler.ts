// Composition root of the function of one-time codes.
import { cloud } from '#shared/domains/composition/cloud'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import { configuredSms } from '#shared/platform/outbox/sms/configured'
import type { Ctx } from './group.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(
  mount(base, [group<Ctx>({ routes: oneTimeCodeRoutes, ctx: { ...base, sms: configuredSms(base) }, render: authsecError })]),
  base,
)
