// Seeds of the tools, scopes and bindings of resource servers: tests/seeds/seeds.ts.
import { atomically, forTenant } from '#db/engine/tenant'
import { listRegisteredScopes } from '#db/store/resource-servers'
import { activateResourceTools, insertResourceTools, listResourceTools, lockResourceSetup, updateResourceSetup } from '#db/store/resource-tools'
import { putBinding, putRole } from '#db/testing/access'
import type { Company, TestApp } from '#tests/support/app'
import { newResource } from '#tests/support/oauth'
import type { Make, Seed } from '../../tests/seeds/seeds.ts'
import { definitionHash, driftOf } from './tool-state.ts'

const PERMISSION = 'tools:use'
const newServer = (app: TestApp, company: Company) => newResource(app, company, [{ name: 'use', permission: PERMISSION }])
const ownerOf = (app: TestApp, company: Company) =>
  app.person(company, ['admin:access', 'clients:read', 'clients:write', 'roles:read', 'roles:write', 'users:read', PERMISSION])

const server =
  (body?: Seed['body']): Make =>
  async (app, company) => ({
    path: { id: (await newServer(app, company)).id },
    owner: await ownerOf(app, company),
    ...(body === undefined ? {} : { body }),
  })

/** For routes at which the server authenticates itself. */
const sdk =
  (body?: Seed['body']): Make =>
  async (app, company) => {
    const { id, authorization } = await newServer(app, company)
    return { path: { id }, headers: { authorization }, ...(body === undefined ? {} : { body }) }
  }

const addTool = (app: TestApp, company: Company, serverId: string, name: string, isPublic = true): Promise<string> =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    const [id, at] = [app.ctx.random.id(), app.clock.now()]
    const definition = { title: '', description: '', inputSchema: null, annotations: null }
    const row = { id, resourceServerId: serverId, name, source: 'manual' as const, definition, definitionHash: definitionHash(definition) }
    await lockResourceSetup(t, serverId)
    await insertResourceTools(t, [{ ...row, isPublic, changedAt: at, createdAt: at }])
    return id
  })

const tool: Make = async (app, company) => {
  const seed = await server({ is_public: false })(app, company)
  return { ...seed, path: { ...seed.path, tool_id: await addTool(app, company, seed.path.id ?? '', 'ping') } }
}
const activatable: Make = async (app, company) => {
  const seed = await server({})(app, company)
  await addTool(app, company, seed.path.id ?? '', 'ping')
  return seed
}
const drift: Make = async (app, company) => {
  const seed = await activatable(app, company)
  const [id, t] = [seed.path.id ?? '', forTenant(app.db, company.tenantId)]
  const setup = await atomically(t, async (tx) => {
    await activateResourceTools(tx, id)
    return updateResourceSetup(tx, id, { activatedAt: app.clock.now() }, true)
  })
  await addTool(app, company, id, 'later')
  const [event] = driftOf(setup, await listResourceTools(t, id))
  return { ...seed, path: { id, event_id: event?.id ?? '' } }
}

const scope =
  (body?: Seed['body']): Make =>
  async (app, company) => {
    const seed = await server(body)(app, company)
    const [row] = await listRegisteredScopes(forTenant(app.db, company.tenantId), seed.path.id ?? '')
    return { ...seed, path: { scope_id: row?.id ?? '' } }
  }

const newRole = (app: TestApp, company: Company): Promise<string> =>
  atomically(forTenant(app.db, company.tenantId), (t) => putRole(t, `users-${app.ctx.random.id()}`, [PERMISSION], app.clock.now()))
const bind: Make = async (app, company) => {
  const body = { user_id: (await app.person(company)).id, role_id: await newRole(app, company) }
  return server(body)(app, company)
}
const unbind: Make = async (app, company) => {
  const [seed, roleId, { id: userId }] = [await server()(app, company), await newRole(app, company), await app.person(company)]
  const bindingId = await atomically(forTenant(app.db, company.tenantId), (t) => putBinding(t, roleId, { userId }, app.clock.now()))
  return { ...seed, path: { ...seed.path, binding_id: bindingId } }
}

export const RESOURCE_SEEDS: Readonly<Record<string, Make>> = {
  'resources.sdkPolicy': sdk(),
  'resources.putManifest': sdk({ tools: [{ name: 'ping' }] }),
  'resources.tools': server(),
  'resources.addTool': server({ name: 'ping' }),
  'resources.setToolPublic': tool,
  'resources.mapTools': server({ mappings: [] }),
  'resources.scopeMatrix': server(),
  'resources.manifestStatus': server(),
  'resources.setup': server(),
  'resources.activationPreview': server(),
  'resources.activate': activatable,
  'resources.driftEvents': server(),
  'resources.dismissDrift': drift,
  'resources.testLogin': server(),
  'resources.rescan': server({}),
  'resources.scopes': server(),
  'resources.createScope': server({ scope_string: 'look' }),
  'resources.updateScope': scope({ description: 'Changed.' }),
  'resources.deleteScope': scope(),
  'resources.roles': server(),
  'resources.bindings': server(),
  'resources.bind': bind,
  'resources.unbind': unbind,
  'resources.eligibleUsers': server(),
}
