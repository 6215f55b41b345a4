// Routes that report the caller, for tests of what ends a session and what grants a permission.
import * as z from 'zod'
import type { Db } from '#db/engine/client'
import type { RequestCtx } from '#shared/domains/context'
import { may, user } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { json, routeFor } from '#shared/platform/http/route'
import { startApp, type TestApp } from './app.ts'

const route = routeFor<RequestCtx>()
const Out = z.object({ session: z.string(), token: z.string(), permissions: z.array(z.string()) })
const common = { reply: json(200, Out), errors: [], emits: 'nothing', summary: 'A test.' } as const
const toResponse = async ({ principal }: { principal: { sessionId: string; tokenId: string; permissions: ReadonlySet<string> } }) => ({
  session: principal.sessionId,
  token: principal.tokenId,
  permissions: [...principal.permissions].sort(),
})
export const callerRoutes = [
  route({ ...common, id: 'p.me', on: 'GET /p/me', access: user(), handle: toResponse }),
  route({ ...common, id: 'p.read', on: 'GET /p/read', access: may('things:read'), handle: toResponse }),
  route({ ...common, id: 'p.admin', on: 'GET /p/admin', access: may('admin:access', 'things:read'), handle: toResponse }),
  route({ ...common, id: 'p.platform', on: 'GET /p/platform', access: may('platform:tenants'), handle: toResponse }),
]
export const startCallerApp = (db?: Db) => startApp(callerRoutes, { render: problem, ...(db ? { db } : {}) })

/** The caller of the token, with the permissions. */
export const me = async (app: TestApp, token: string): Promise<z.output<typeof Out>> =>
  Out.parse(await (await app.request('/p/me', { token })).json())
export const status = async (app: TestApp, token: string, path = '/p/me'): Promise<number> => (await app.request(path, { token })).status
