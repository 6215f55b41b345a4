// Composition root of the account-pages function.

import { cloud } from '#shared/domains/composition/cloud'
import { breachedPasswords } from '#shared/domains/passwords/configured'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { configuredSms } from '#shared/platform/outbox/sms/configured'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import type { Ctx } from './group.ts'
import { accountPageRoutes } from './routes.ts'

const base = await cloud(process.env)

export const handler = lambda(
  mount(base, [
    group<Ctx>({
      routes: accountPageRoutes,
      ctx: { ...base, breached: breachedPasswords(base), sms: configuredSms(base) },
      render: lazyPageError,
    }),
  ]),
  base,
)
