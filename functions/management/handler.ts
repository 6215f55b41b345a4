// Composition root of the management function.
import { cloud } from '#shared/cloud'
import { lambda } from '#shared/http/lambda'
import { group, mount } from '#shared/http/mount'
import { authsecError } from '#shared/http/problem'
import { breachedPasswords } from '#shared/password/configured'
import type { Ctx } from './group.ts'
import { managementRoutes } from './routes.ts'

const base = await cloud(process.env)
const ctx = { ...base, breached: breachedPasswords(base) }

export const handler = lambda(mount(base, [group<Ctx>({ routes: managementRoutes, ctx, render: authsecError })]), base)
