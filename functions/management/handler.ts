// Composition root of the management function.
import { cloud } from '#shared/domains/composition/cloud'
import { breachedPasswords } from '#shared/domains/passwords/configured'
import { lambda } from '#shared/platform/http/lambda'
import { group, mount } from '#shared/platform/http/mount'
import { authsecError } from '#shared/platform/http/problem'
import type { Ctx } from './group.ts'
import { managementRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, breached: breachedPasswords(base) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: managementRoutes, ctx, render: authsecError })]), base)
